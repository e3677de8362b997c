// A Helia node that tests drive, with bitswap as its only way to blocks: no routing, no gateways, no bootstrap.
// Options and words as in node.mjs, and add, fetch.
import { createHash } from 'node:crypto'
import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { withBitswap } from '@helia/bitswap'
import { withLibp2pLight } from '@helia/libp2p'
import { unixfs } from '@helia/unixfs'
import { MemoryBlockstore } from 'blockstore-core'
import { createHeliaLight } from 'helia'
import { CID } from 'multiformats/cid'
import { dial, drive, libp2pConfig, options, watch } from './common.mjs'

// Of one folder's files so many are asked for at a time.
const AHEAD = 16

const config = await libp2pConfig(options())
const helia = withBitswap(withLibp2pLight(createHeliaLight({ blockstore: new MemoryBlockstore() }), config))
await helia.start()
const files = unixfs(helia)

async function * candidates (path, name) {
  if ((await stat(path)).isFile()) {
    yield { path: name, content: await readFile(path) }
    return
  }
  for (const entry of (await readdir(path)).sort()) {
    yield * candidates(join(path, entry), name === '' ? entry : `${name}/${entry}`)
  }
}

async function add (path) {
  if ((await stat(path)).isFile()) {
    return { cid: (await files.addBytes(await readFile(path))).toString() }
  }
  let root
  for await (const entry of files.addAll(candidates(path, ''), { wrapWithDirectory: true })) {
    root = entry.cid
  }
  return { cid: root.toString() }
}

const hashOf = bytes => createHash('sha256').update(bytes).digest('hex')

// The files below a folder as [path, hash, size].
async function walk (cid, path, opts) {
  const entries = []
  for await (const entry of files.ls(cid, opts)) {
    entries.push(entry)
  }
  const found = []
  let next = 0
  await Promise.all(Array.from({ length: AHEAD }, async () => {
    while (next < entries.length) {
      const entry = entries[next++]
      const name = path === '' ? entry.name : `${path}/${entry.name}`
      if ((await files.stat(entry.cid, opts)).type === 'directory') {
        found.push(...await walk(entry.cid, name, opts))
      } else {
        const hash = createHash('sha256')
        let size = 0
        for await (const piece of files.cat(entry.cid, opts)) {
          hash.update(piece)
          size += piece.length
        }
        found.push([name, hash.digest('hex'), size])
      }
    }
  }))
  return found
}

async function fetch (words) {
  const [text, seconds] = words.split(' ')
  const cid = CID.parse(text)
  const begin = performance.now()
  const opts = { signal: AbortSignal.timeout(1000 * Number(seconds ?? 60)) }
  const spent = () => (performance.now() - begin) / 1000
  const kind = (await files.stat(cid, opts)).type
  if (kind !== 'directory') {
    const hash = createHash('sha256')
    let bytes = 0
    for await (const piece of files.cat(cid, opts)) {
      hash.update(piece)
      bytes += piece.length
    }
    return { sha256: hash.digest('hex'), bytes, files: 1, seconds: spent() }
  }
  const found = await walk(cid, '', opts)
  found.sort((a, b) => Buffer.compare(Buffer.from(a[0]), Buffer.from(b[0])))
  return {
    sha256: hashOf(found.map(([name, hash]) => `${name}\0${hash}\n`).join('')),
    bytes: found.reduce((sum, f) => sum + f[2], 0),
    files: found.length,
    seconds: spent()
  }
}

watch(helia.libp2p)
drive({ ...dial(helia.libp2p), add, fetch }, () => helia.stop())
