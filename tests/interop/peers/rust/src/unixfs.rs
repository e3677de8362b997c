//! Files and folders as blocks: made in the plainest layout, read in whatever layout others use.

use crate::bitswap::Bitswap;
use crate::wire::{fields, put_bytes, put_number};
use cid::Cid;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

const RAW: u64 = 0x55;
const DAG_PB: u64 = 0x70;
const CHUNK: usize = 256 << 10;
const LINKS_MAX: usize = 8192;
/// Blocks of one node that are asked for at a time.
const AHEAD: usize = 32;

const FILE: u64 = 2;
const FOLDER: u64 = 1;
const SHARD: u64 = 5;

struct Link {
    name: String,
    cid: Cid,
    size: u64,
}

fn store(to: &Bitswap, codec: u64, block: Vec<u8>) -> Result<Cid, String> {
    let hash = cid::multihash::Multihash::wrap(0x12, &Sha256::digest(&block)).map_err(|e| e.to_string())?;
    let cid = Cid::new_v1(codec, hash);
    to.put(&cid, block);
    Ok(cid)
}

fn node(to: &Bitswap, links: &[Link], kind: u64, sizes: &[u64]) -> Result<(Cid, u64), String> {
    if links.len() > LINKS_MAX {
        return Err("too many links for one node".into());
    }
    let (mut block, mut data) = (Vec::new(), Vec::new());
    for link in links {
        let mut inner = Vec::new();
        put_bytes(&mut inner, 1, &link.cid.to_bytes());
        put_bytes(&mut inner, 2, link.name.as_bytes());
        put_number(&mut inner, 3, link.size);
        put_bytes(&mut block, 2, &inner);
    }
    put_number(&mut data, 1, kind);
    if kind == FILE {
        put_number(&mut data, 3, sizes.iter().sum());
        sizes.iter().for_each(|&size| put_number(&mut data, 4, size));
    }
    put_bytes(&mut block, 1, &data);
    let total = block.len() as u64 + links.iter().map(|l| l.size).sum::<u64>();
    Ok((store(to, DAG_PB, block)?, total))
}

fn add_file(to: &Bitswap, path: &Path) -> Result<(Cid, u64), String> {
    let bytes = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let (mut links, mut sizes) = (Vec::new(), Vec::new());
    for chunk in bytes.chunks(CHUNK) {
        let cid = store(to, RAW, chunk.to_vec())?;
        links.push(Link { name: String::new(), cid, size: chunk.len() as u64 });
        sizes.push(chunk.len() as u64);
    }
    match links.len() {
        0 => Ok((store(to, RAW, Vec::new())?, 0)),
        1 => Ok((links[0].cid, links[0].size)),
        _ => node(to, &links, FILE, &sizes),
    }
}

/// The CID of a file or a folder, and its size as a link tells it.
pub fn add(to: &Bitswap, path: &Path) -> Result<(Cid, u64), String> {
    if !path.is_dir() {
        return add_file(to, path);
    }
    let mut links = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|e| format!("{}: {e}", path.display()))? {
        let entry = entry.map_err(|e| e.to_string())?;
        let (cid, size) = add(to, &entry.path())?;
        links.push(Link { name: entry.file_name().to_string_lossy().into_owned(), cid, size });
    }
    links.sort_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
    node(to, &links, FOLDER, &[])
}

/// A node read: its kind, its inline bytes and its links.
fn parse(cid: &Cid, block: &[u8]) -> Option<(u64, Vec<u8>, Vec<Link>)> {
    if cid.codec() == RAW {
        return Some((FILE, block.to_vec(), Vec::new()));
    }
    let (mut kind, mut data, mut links) = (FILE, Vec::new(), Vec::new());
    for field in fields(block)? {
        let inner = fields(field.bytes)?;
        if field.no == 1 {
            kind = inner.iter().find(|f| f.no == 1)?.value;
            data = inner.iter().find(|f| f.no == 2).map_or(Vec::new(), |f| f.bytes.to_vec());
        } else if field.no == 2 {
            let cid = Cid::try_from(inner.iter().find(|f| f.no == 1)?.bytes).ok()?;
            let name = inner.iter().find(|f| f.no == 2).map_or(&b""[..], |f| f.bytes);
            links.push(Link { name: String::from_utf8_lossy(name).into_owned(), cid, size: 0 });
        }
    }
    Some((kind, data, links))
}

/// The files below a CID: path and bytes, a lone file under an empty path.
pub type Files = Vec<(String, Vec<u8>)>;

pub fn fetch(from: Arc<Bitswap>, cid: Cid, path: String, until: Instant) -> BoxFuture<'static, Result<Files, String>> {
    async move {
        let block = from.get(&cid, until).await?;
        let (kind, data, links) = parse(&cid, &block).ok_or(format!("{cid}: not a node of a file"))?;
        let is_file = kind != FOLDER && kind != SHARD;
        let parts: Vec<Files> = futures::stream::iter(links)
            .map(|link| {
                let below = match (is_file, kind == SHARD, path.is_empty()) {
                    (true, _, _) => path.clone(),
                    (_, true, _) if link.name.len() == 2 => path.clone(),
                    (_, is_shard, true) => link.name[if is_shard { 2 } else { 0 }..].to_string(),
                    (_, is_shard, false) => format!("{path}/{}", &link.name[if is_shard { 2 } else { 0 }..]),
                };
                fetch(from.clone(), link.cid, below, until)
            })
            .buffered(AHEAD)
            .try_collect()
            .await?;
        if !is_file {
            return Ok(parts.into_iter().flatten().collect());
        }
        let mut whole = data;
        parts.into_iter().flatten().for_each(|(_, bytes)| whole.extend_from_slice(&bytes));
        Ok(vec![(path, whole)])
    }
    .boxed()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// One hash over everything: of a lone file its own, of a folder that of its lines "path NUL hash".
pub fn digest(mut files: Files) -> String {
    if files.len() == 1 && files[0].0.is_empty() {
        return hex(&Sha256::digest(&files[0].1));
    }
    files.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
    let mut all = Sha256::new();
    for (path, bytes) in files {
        all.update(format!("{path}\0{}\n", hex(&Sha256::digest(&bytes))));
    }
    hex(&all.finalize())
}
