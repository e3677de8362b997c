// A js-libp2p node that tests drive: words on standard input, a JSON object a line on standard output
// (README.md beside this folder has the words).
//
//   node.mjs [--key ed25519|secp256k1|ecdsa|rsa] [--security noise|tls|both] [--muxer early|late] [--listen MULTIADDR]
import { dial, drive, makeLibp2p, options, watch } from './common.mjs'

const node = await makeLibp2p(options())
watch(node)
drive(dial(node), () => node.stop())
