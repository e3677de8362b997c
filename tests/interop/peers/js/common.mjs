// What the js peers share: options, a libp2p node made from them, and the words that drive it.
import { createInterface } from 'node:readline'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { peerIdFromString } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'

const WAIT_MS = 20_000

export function options () {
  const words = process.argv.slice(2)
  const given = { key: 'ed25519', security: 'both', muxer: 'early', listen: '/ip4/127.0.0.1/tcp/0' }
  for (let i = 0; i + 1 < words.length; i += 2) {
    given[words[i].replace(/^--/, '')] = words[i + 1]
  }
  return given
}

export function say (object) {
  process.stdout.write(JSON.stringify(object) + '\n')
}

// An encrypter that tells and takes no muxers, so that multistream has to choose one.
function late (encrypter) {
  return components => {
    const inner = encrypter(new Proxy(components, {
      get: (target, name) => name === 'upgrader' ? { getStreamMuxers: () => new Map() } : target[name]
    }))
    for (const name of ['secureInbound', 'secureOutbound']) {
      const plain = inner[name].bind(inner)
      inner[name] = (connection, opts) => plain(connection, { ...opts, skipStreamMuxerNegotiation: true })
    }
    return inner
  }
}

export async function libp2pConfig ({ key, security, muxer, listen }) {
  const kinds = { ed25519: 'Ed25519', secp256k1: 'secp256k1', ecdsa: 'ECDSA', rsa: 'RSA' }
  const encrypters = { noise: [noise()], tls: [tls()], both: [noise(), tls()] }[security]
  return {
    privateKey: await generateKeyPair(kinds[key], key === 'rsa' ? 2048 : undefined),
    addresses: { listen: [listen] },
    transports: [tcp()],
    connectionEncrypters: muxer === 'late' ? encrypters.map(late) : encrypters,
    streamMuxers: [yamux()],
    // A matrix knocks far more often in a second than the usual limits for one host allow.
    connectionManager: { inboundConnectionThreshold: 1000, maxIncomingPendingConnections: 1000 },
    connectionMonitor: { enabled: false },
    services: { identify: identify(), ping: ping() }
  }
}

export async function makeLibp2p (given) {
  return createLibp2p(await libp2pConfig(given))
}

// Events of connections, and the line that tells where the node is.
export function watch (node) {
  node.addEventListener('connection:open', ({ detail: c }) => say({
    event: 'connected', peer: c.remotePeer.toString(), direction: c.direction === 'outbound' ? 'out' : 'in',
    security: c.encryption, muxer: c.multiplexer
  }))
  node.addEventListener('connection:close', ({ detail: c }) => say({ event: 'disconnected', peer: c.remotePeer.toString() }))
  say({ event: 'ready', id: node.peerId.toString(), addresses: node.getMultiaddrs().map(a => a.toString()) })
}

// What every node can be told about connections.
export function dial (node) {
  const connection = peer => {
    const found = node.getConnections(peerIdFromString(peer))[0]
    if (found == null) {
      throw new Error('not connected to ' + peer)
    }
    return found
  }
  return {
    connect: async address => {
      const c = await node.dial(multiaddr(address), { signal: AbortSignal.timeout(WAIT_MS) })
      return { peer: c.remotePeer.toString() }
    },
    disconnect: async peer => {
      await node.hangUp(peerIdFromString(peer))
      return {}
    },
    peers: async () => ({ peers: node.getPeers().map(p => p.toString()) }),
    ping: async peer => ({ ms: await node.services.ping.ping(connection(peer).remotePeer, { signal: AbortSignal.timeout(WAIT_MS) }) }),
    identify: async peer => {
      const told = await node.services.identify.identify(connection(peer), { signal: AbortSignal.timeout(WAIT_MS) })
      return {
        id: told.peerId.toString(),
        agent: told.agentVersion,
        protocolVersion: told.protocolVersion,
        addresses: (told.signedPeerRecord?.addresses ?? told.listenAddrs).map(a => a.toString()),
        protocols: told.protocols,
        observed: told.observedAddr?.toString(),
        signed: told.signedPeerRecord != null
      }
    }
  }
}

// Reads "N VERB REST" and answers {"n": N, "ok": ...}; ends when the input does.
export function drive (verbs, stop) {
  const end = async () => {
    setTimeout(() => process.exit(0), 2000)
    await stop()
    process.exit(0)
  }
  const input = createInterface({ input: process.stdin })
  input.on('line', async line => {
    const [, no, verb, rest] = /^(\d+) (\w+) ?(.*)$/.exec(line) ?? []
    try {
      if (verb === 'stop') {
        say({ n: Number(no), ok: true })
        await end()
      }
      if (verbs[verb] == null) {
        throw new Error('no such command')
      }
      say({ n: Number(no), ok: true, ...await verbs[verb](rest) })
    } catch (err) {
      say({ n: Number(no), ok: false, why: String(err?.message ?? err) })
    }
  })
  input.on('close', end)
}
