// A peer that claims to have every block and lies about it.
//
//   --lie wrong    answers each want with bytes that are not the block
//   --lie silent   says HAVE and then nothing
//   --lie junk     answers with bytes that are no message at all
import { lpStream } from '@libp2p/utils'
import { dial, drive, makeLibp2p, options, say, watch } from './common.mjs'

const PROTOCOL = '/ipfs/bitswap/1.2.0'
const given = { lie: 'wrong', ...options() }
const node = await makeLibp2p(given)
let lies = 0

function varint (value) {
  const out = []
  for (; value >= 0x80; value = Math.floor(value / 128)) {
    out.push((value & 0x7f) | 0x80)
  }
  return Buffer.from([...out, value])
}

const number = (field, value) => Buffer.concat([varint(field << 3), varint(value)])
const bytes = (field, value) => Buffer.concat([varint(field << 3 | 2), varint(value.length), value])

// [field, number or bytes] of a message.
function * fields (message) {
  let at = 0
  const take = () => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++]
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        return value
      }
    }
  }
  while (at < message.length) {
    const key = take()
    const value = take()
    if ((key & 7) === 2) {
      yield [key >> 3, message.subarray(at, at + value)]
      at += value
    } else {
      yield [key >> 3, value]
    }
  }
}

function answer (entry) {
  const want = Object.fromEntries(fields(entry))
  if (want[3] === 1) {
    return []
  }
  lies++
  if (given.lie === 'junk') {
    return [Buffer.from('this is no message of bitswap, and long enough to be taken for one')]
  }
  if (given.lie === 'silent' || want[4] === 1) {
    return [bytes(4, Buffer.concat([bytes(1, want[1]), number(2, 0)]))]
  }
  const prefix = Buffer.from([1, 0x55, 0x12, 32])
  return [bytes(3, Buffer.concat([bytes(1, prefix), bytes(2, Buffer.alloc(100_000, lies & 0xff))]))]
}

await node.handle(PROTOCOL, async (stream, connection) => {
  const incoming = lpStream(stream, { maxDataLength: 4 << 20 })
  const outgoing = lpStream(await connection.newStream(PROTOCOL), { maxDataLength: 4 << 20 })
  try {
    for (;;) {
      const message = Buffer.from((await incoming.read()).subarray())
      for (const [field, list] of fields(message)) {
        for (const [inner, entry] of field === 1 ? fields(list) : []) {
          for (const lie of inner === 1 ? answer(entry) : []) {
            await outgoing.write(lie)
          }
        }
      }
    }
  } catch (err) {
    say({ event: 'cut', why: String(err?.message ?? err) })
  }
}, { maxInboundStreams: 100 })

watch(node)
drive({ ...dial(node), lies: async () => ({ lies }) }, () => node.stop())
