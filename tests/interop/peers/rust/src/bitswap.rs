//! Bitswap 1.2, both sides, in their plainest form: a want goes to one peer after the other until one
//! has the block, and whoever asks gets what is here.

use crate::wire::{fields, put_bytes, put_number, put_varint};
use cid::Cid;
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::{PeerId, Stream, StreamProtocol};
use libp2p_stream::Control;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

const PROTOCOL: StreamProtocol = StreamProtocol::new("/ipfs/bitswap/1.2.0");
const MESSAGE_MAX: u64 = 4 << 20;
const SHA2_256: u64 = 0x12;
/// Longer than this a peer may take with a block before the next one is asked.
const PATIENCE: Duration = Duration::from_secs(5);
/// Helia resets a stream that carried nothing for 10 s: let it go before that.
const IDLE: Duration = Duration::from_secs(4);

enum Answer {
    Block,
    DontHave,
}

#[derive(Default)]
struct State {
    blocks: HashMap<Vec<u8>, Arc<Vec<u8>>>,
    waits: HashMap<Vec<u8>, Vec<(PeerId, oneshot::Sender<Answer>)>>,
    peers: Vec<PeerId>,
    queues: HashMap<PeerId, mpsc::UnboundedSender<Vec<u8>>>,
    /// How many blocks it still gives before it holds the answers back, if there is a limit.
    left: Option<u64>,
    held: Vec<(PeerId, Cid)>,
}

pub struct Bitswap {
    control: Control,
    state: Mutex<State>,
}

fn multihash(cid: &Cid) -> Vec<u8> {
    cid.hash().to_bytes()
}

impl Bitswap {
    pub fn new(control: Control, most_blocks: Option<u64>) -> Arc<Bitswap> {
        let state = State { left: most_blocks, ..State::default() };
        Arc::new(Bitswap { control, state: Mutex::new(state) })
    }

    /// Gives what was held back, and from now on whatever is asked for.
    pub fn go_on(self: &Arc<Self>) {
        let held = {
            let mut state = self.state.lock().unwrap();
            state.left = None;
            std::mem::take(&mut state.held)
        };
        for (peer, cid) in held {
            self.give(peer, &cid);
        }
    }

    fn give(self: &Arc<Self>, peer: PeerId, cid: &Cid) {
        let block = {
            let mut state = self.state.lock().unwrap();
            if state.left == Some(0) {
                if state.held.is_empty() {
                    crate::say("{\"event\":\"holding\"}");
                }
                state.held.push((peer, *cid));
                return;
            }
            state.left = state.left.map(|left| left - 1);
            state.blocks.get(&multihash(cid)).cloned()
        };
        if let Some(block) = block {
            self.send(peer, &payload(cid, &block));
        }
    }

    pub fn put(&self, cid: &Cid, block: Vec<u8>) {
        self.state.lock().unwrap().blocks.insert(multihash(cid), Arc::new(block));
    }

    pub fn add_peer(&self, peer: PeerId) {
        let mut state = self.state.lock().unwrap();
        if !state.peers.contains(&peer) {
            state.peers.push(peer);
        }
    }

    pub fn drop_peer(&self, peer: &PeerId) {
        let mut state = self.state.lock().unwrap();
        state.peers.retain(|p| p != peer);
        state.queues.remove(peer);
        for waits in state.waits.values_mut() {
            waits.retain(|(of, _)| of != peer); // a dropped sender tells the one who waits
        }
    }

    /// The block, from here or from whichever connected peer has it before `until`.
    pub async fn get(self: &Arc<Self>, cid: &Cid, until: Instant) -> Result<Arc<Vec<u8>>, String> {
        let hash = multihash(cid);
        let mut turn = 0;
        loop {
            let (peer, answer) = {
                let mut state = self.state.lock().unwrap();
                if let Some(block) = state.blocks.get(&hash) {
                    return Ok(block.clone());
                }
                let (send, answer) = oneshot::channel();
                let peer = state.peers.get(turn % state.peers.len().max(1)).copied();
                if let Some(peer) = peer {
                    state.waits.entry(hash.clone()).or_default().push((peer, send));
                }
                (peer, answer)
            };
            if Instant::now() > until {
                return Err(format!("{cid}: nobody gave it"));
            }
            turn += 1;
            let Some(peer) = peer else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            self.send(peer, &want(cid, false));
            match tokio::time::timeout(PATIENCE, answer).await {
                Ok(Ok(Answer::Block)) => (),
                Ok(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                Err(_) => self.send(peer, &want(cid, true)),
            }
        }
    }

    fn send(self: &Arc<Self>, peer: PeerId, message: &[u8]) {
        let mut framed = Vec::with_capacity(message.len() + 4);
        put_varint(&mut framed, message.len() as u64);
        framed.extend_from_slice(message);
        let mut state = self.state.lock().unwrap();
        let queue = state.queues.entry(peer).or_insert_with(|| {
            let (queue, messages) = mpsc::unbounded_channel();
            tokio::spawn(write(self.control.clone(), peer, messages));
            queue
        });
        let _ = queue.send(framed);
    }

    /// Takes the streams that others open, for as long as the node lives.
    pub async fn serve(self: Arc<Self>) {
        let mut incoming = self.control.clone().accept(PROTOCOL).expect("accepted once");
        while let Some((peer, stream)) = incoming.next().await {
            let me = self.clone();
            tokio::spawn(async move { me.read(peer, stream).await });
        }
    }

    async fn read(self: Arc<Self>, peer: PeerId, mut stream: Stream) -> Option<()> {
        loop {
            let (mut len, mut shift, mut byte) = (0u64, 0, [0u8; 1]);
            loop {
                stream.read_exact(&mut byte).await.ok()?;
                len |= u64::from(byte[0] & 0x7f) << shift;
                shift += 7;
                if byte[0] < 0x80 {
                    break;
                }
                if shift > 28 {
                    return None;
                }
            }
            if len > MESSAGE_MAX {
                return None;
            }
            let mut message = vec![0; len as usize];
            stream.read_exact(&mut message).await.ok()?;
            self.take(peer, &message)?;
        }
    }

    fn take(self: &Arc<Self>, peer: PeerId, message: &[u8]) -> Option<()> {
        for field in fields(message)? {
            match field.no {
                1 => self.take_wants(peer, field.bytes)?,
                3 => self.take_block(field.bytes)?,
                4 => self.take_presence(peer, field.bytes)?,
                _ => (),
            }
        }
        Some(())
    }

    fn take_wants(self: &Arc<Self>, peer: PeerId, list: &[u8]) -> Option<()> {
        for entry in fields(list)?.iter().filter(|f| f.no == 1) {
            let (mut cid, mut is_cancel, mut is_have, mut tell) = (None, false, false, false);
            for field in fields(entry.bytes)? {
                match field.no {
                    1 => cid = Cid::try_from(field.bytes).ok(),
                    3 => is_cancel = field.value != 0,
                    4 => is_have = field.value != 0,
                    5 => tell = field.value != 0,
                    _ => (),
                }
            }
            let cid = cid?;
            let is_here = self.state.lock().unwrap().blocks.contains_key(&multihash(&cid));
            match (is_cancel, is_here) {
                (true, _) => (),
                (_, true) if is_have => self.send(peer, &presence(&cid, 0)),
                (_, true) => self.give(peer, &cid),
                (_, false) if tell => self.send(peer, &presence(&cid, 1)),
                (_, false) => (),
            }
        }
        Some(())
    }

    /// What was not asked for, or is not what was asked for, finds nobody who waits for it.
    fn take_block(&self, bytes: &[u8]) -> Option<()> {
        let data = fields(bytes)?.into_iter().find(|f| f.no == 2)?.bytes.to_vec();
        let hash = cid::multihash::Multihash::<64>::wrap(SHA2_256, &Sha256::digest(&data)).ok()?;
        let hash = hash.to_bytes();
        let mut state = self.state.lock().unwrap();
        if let Some(waits) = state.waits.remove(&hash) {
            state.blocks.insert(hash, Arc::new(data));
            for (_, wait) in waits {
                let _ = wait.send(Answer::Block);
            }
        }
        Some(())
    }

    fn take_presence(&self, peer: PeerId, bytes: &[u8]) -> Option<()> {
        let all = fields(bytes)?;
        let cid = Cid::try_from(all.iter().find(|f| f.no == 1)?.bytes).ok()?;
        let is_missing = all.iter().any(|f| f.no == 2 && f.value == 1);
        let mut state = self.state.lock().unwrap();
        if let Some(waits) = state.waits.get_mut(&multihash(&cid)).filter(|_| is_missing) {
            for i in (0..waits.len()).rev().filter(|&i| waits[i].0 == peer).collect::<Vec<_>>() {
                let _ = waits.swap_remove(i).1.send(Answer::DontHave);
            }
        }
        Some(())
    }
}

fn want(cid: &Cid, is_cancel: bool) -> Vec<u8> {
    let mut entry = Vec::new();
    put_bytes(&mut entry, 1, &cid.to_bytes());
    put_number(&mut entry, 2, 1);
    put_number(&mut entry, if is_cancel { 3 } else { 5 }, 1);
    let (mut list, mut message) = (Vec::new(), Vec::new());
    put_bytes(&mut list, 1, &entry);
    put_bytes(&mut message, 1, &list);
    message
}

fn presence(cid: &Cid, kind: u64) -> Vec<u8> {
    let (mut inner, mut message) = (Vec::new(), Vec::new());
    put_bytes(&mut inner, 1, &cid.to_bytes());
    put_number(&mut inner, 2, kind);
    put_bytes(&mut message, 4, &inner);
    message
}

fn payload(cid: &Cid, block: &[u8]) -> Vec<u8> {
    let (mut prefix, mut inner, mut message) = (Vec::new(), Vec::new(), Vec::new());
    for part in [u64::from(cid.version()), cid.codec(), cid.hash().code(), cid.hash().size().into()] {
        put_varint(&mut prefix, part);
    }
    put_bytes(&mut inner, 1, &prefix);
    put_bytes(&mut inner, 2, block);
    put_bytes(&mut message, 3, &inner);
    message
}

/// Writes what is queued for a peer, on a stream that is opened when there is something to say.
async fn write(mut control: Control, peer: PeerId, mut messages: mpsc::UnboundedReceiver<Vec<u8>>) {
    let mut stream: Option<Stream> = None;
    loop {
        let message = match tokio::time::timeout(IDLE, messages.recv()).await {
            Ok(Some(message)) => message,
            Ok(None) => break,
            Err(_) => {
                if let Some(mut idle) = stream.take() {
                    let _ = idle.close().await;
                }
                continue;
            }
        };
        for _ in 0..2 {
            if stream.is_none() {
                stream = control.open_stream(peer, PROTOCOL).await.ok();
            }
            let Some(open) = stream.as_mut() else { break };
            if open.write_all(&message).await.is_ok() && open.flush().await.is_ok() {
                break;
            }
            stream = None; // it was reset: once more on a new one
        }
    }
}
