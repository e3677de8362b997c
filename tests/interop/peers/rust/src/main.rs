//! A rust-libp2p node that tests drive: words on standard input, a JSON object a line on standard output.
//! tests/interop/peers/README.md has the words.
//!
//!     rust-peer --key ed25519|secp256k1|ecdsa|FILE(RSA, PKCS#8 DER) --security noise|tls|both --listen MULTIADDR
//!               --most-blocks N

mod bitswap;
mod unixfs;
mod wire;

use bitswap::Bitswap;
use futures::StreamExt;
use libp2p::identity::Keypair;
use libp2p::swarm::{ConnectionId, NetworkBehaviour, SwarmEvent, dial_opts::DialOpts};
use libp2p::{Multiaddr, PeerId, Swarm, identify, noise, ping, tcp, tls, yamux};
use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[derive(NetworkBehaviour)]
struct Behaviour {
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    stream: libp2p_stream::Behaviour,
}

struct Node {
    swarm: Swarm<Behaviour>,
    bitswap: Arc<Bitswap>,
    dials: HashMap<ConnectionId, String>,
    pings: Vec<(PeerId, String)>,
    asked: Vec<(PeerId, String)>,
    known: HashMap<PeerId, identify::Info>,
}

fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out + "\""
}

fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let all: Vec<String> = items.into_iter().map(|i| quote(&i.to_string())).collect();
    format!("[{}]", all.join(","))
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

fn answer(no: &str, result: Result<String, String>) {
    match result {
        Ok(fields) if fields.is_empty() => say(&format!("{{\"n\":{no},\"ok\":true}}")),
        Ok(fields) => say(&format!("{{\"n\":{no},\"ok\":true,{fields}}}")),
        Err(why) => say(&format!("{{\"n\":{no},\"ok\":false,\"why\":{}}}", quote(&why))),
    }
}

fn key(kind: &str) -> Keypair {
    match kind {
        "ed25519" => Keypair::generate_ed25519(),
        "secp256k1" => Keypair::generate_secp256k1(),
        "ecdsa" => Keypair::generate_ecdsa(),
        file => Keypair::rsa_from_pkcs8(&mut std::fs::read(file).expect("a key's file")).expect("an RSA key"),
    }
}

fn behaviour(key: &Keypair) -> Behaviour {
    Behaviour {
        identify: identify::Behaviour::new(identify::Config::new_with_signed_peer_record("ipfs/0.1.0".into(), key)),
        ping: ping::Behaviour::new(ping::Config::new().with_interval(Duration::from_millis(200))),
        stream: libp2p_stream::Behaviour::new(),
    }
}

fn swarm(key: Keypair, security: &str) -> Swarm<Behaviour> {
    let tcp = tcp::Config::default().nodelay(true);
    let start = libp2p::SwarmBuilder::with_existing_identity(key).with_tokio();
    let idle = |c: libp2p::swarm::Config| c.with_idle_connection_timeout(Duration::from_secs(3600));
    let failed = "a transport";
    match security {
        "noise" => start
            .with_tcp(tcp, noise::Config::new, yamux::Config::default)
            .expect(failed)
            .with_behaviour(|key| behaviour(key))
            .expect(failed)
            .with_swarm_config(idle)
            .build(),
        "tls" => start
            .with_tcp(tcp, tls::Config::new, yamux::Config::default)
            .expect(failed)
            .with_behaviour(|key| behaviour(key))
            .expect(failed)
            .with_swarm_config(idle)
            .build(),
        _ => start
            .with_tcp(tcp, (tls::Config::new, noise::Config::new), yamux::Config::default)
            .expect(failed)
            .with_behaviour(|key| behaviour(key))
            .expect(failed)
            .with_swarm_config(idle)
            .build(),
    }
}

impl Node {
    fn command(&mut self, line: &str) {
        let mut words = line.splitn(3, ' ');
        let (no, verb) = (words.next().unwrap_or("0").to_string(), words.next().unwrap_or(""));
        let rest = words.next().unwrap_or("");
        let done = match verb {
            "connect" => self.connect(rest, &no),
            "disconnect" => rest.parse().map_err(|_| "no peer id".into()).map(|peer| {
                let _ = self.swarm.disconnect_peer_id(peer);
                Some(String::new())
            }),
            "peers" => Ok(Some(format!("\"peers\":{}", list(self.swarm.connected_peers())))),
            "continue" => {
                self.bitswap.go_on();
                Ok(Some(String::new()))
            }
            "ping" => self.wait(rest, &no, true),
            "identify" => self.wait(rest, &no, false),
            "add" => unixfs::add(&self.bitswap, rest.as_ref()).map(|(cid, _)| Some(format!("\"cid\":\"{cid}\""))),
            "fetch" => self.fetch(rest, no.clone()),
            _ => Err("no such command".into()),
        };
        match done {
            Ok(None) => (), // later
            Ok(Some(fields)) => answer(&no, Ok(fields)),
            Err(why) => answer(&no, Err(why)),
        }
    }

    fn connect(&mut self, address: &str, no: &str) -> Result<Option<String>, String> {
        let address: Multiaddr = address.parse().map_err(|e| format!("{address}: {e}"))?;
        let dial = DialOpts::from(address);
        self.dials.insert(dial.connection_id(), no.to_string());
        self.swarm.dial(dial).map_err(|e| e.to_string())?;
        Ok(None)
    }

    fn wait(&mut self, peer: &str, no: &str, is_ping: bool) -> Result<Option<String>, String> {
        let peer = peer.parse().map_err(|_| "no peer id".to_string())?;
        if is_ping { &mut self.pings } else { &mut self.asked }.push((peer, no.to_string()));
        self.tell_known(peer);
        Ok(None)
    }

    fn tell_known(&mut self, peer: PeerId) {
        if let Some(info) = self.known.get(&peer) {
            self.asked.retain(|(of, no)| {
                if *of == peer {
                    answer(no, Ok(describe(info)));
                }
                *of != peer
            });
        }
    }

    fn fetch(&self, words: &str, no: String) -> Result<Option<String>, String> {
        let (cid, seconds) = words.split_once(' ').unwrap_or((words, "60"));
        let cid = cid.parse().map_err(|e| format!("{cid}: {e}"))?;
        let begin = Instant::now();
        let until = begin + Duration::from_secs(seconds.parse().map_err(|_| "no number of seconds")?);
        let from = self.bitswap.clone();
        tokio::spawn(async move {
            let result = unixfs::fetch(from, cid, String::new(), until).await.map(|files| {
                let bytes: usize = files.iter().map(|f| f.1.len()).sum();
                let (count, spent) = (files.len(), begin.elapsed().as_secs_f64());
                let hash = unixfs::digest(files);
                format!("\"sha256\":\"{hash}\",\"bytes\":{bytes},\"files\":{count},\"seconds\":{spent:.3}")
            });
            answer(&no, result);
        });
        Ok(None)
    }

    fn take(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::NewListenAddr { .. } => {
                let id = *self.swarm.local_peer_id();
                let at: Vec<String> = self.swarm.listeners().map(|a| format!("{a}/p2p/{id}")).collect();
                say(&format!("{{\"event\":\"ready\",\"id\":\"{id}\",\"addresses\":{}}}", list(at)));
            }
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.bitswap.add_peer(peer_id);
                let direction = if endpoint.is_dialer() { "out" } else { "in" };
                say(&format!("{{\"event\":\"connected\",\"peer\":\"{peer_id}\",\"direction\":\"{direction}\"}}"));
                if let Some(no) = self.dials.remove(&connection_id) {
                    answer(&no, Ok(format!("\"peer\":\"{peer_id}\"")));
                }
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, cause, .. } => {
                self.bitswap.drop_peer(&peer_id);
                self.known.remove(&peer_id);
                let why = quote(&cause.map_or("closed".into(), |c| c.to_string()));
                say(&format!("{{\"event\":\"disconnected\",\"peer\":\"{peer_id}\",\"why\":{why}}}"));
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                if let Some(no) = self.dials.remove(&connection_id) {
                    answer(&no, Err(error.to_string()));
                }
            }
            SwarmEvent::IncomingConnectionError { error, .. } => {
                say(&format!("{{\"event\":\"refused\",\"why\":{}}}", quote(&format!("{error:?}"))));
            }
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event { peer, result, .. })) => {
                let result = result.map(|rtt| format!("\"ms\":{:.3}", rtt.as_secs_f64() * 1e3));
                let result = result.map_err(|e| e.to_string());
                self.pings.retain(|(of, no)| {
                    if *of == peer {
                        answer(no, result.clone());
                    }
                    *of != peer
                });
            }
            SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. })) => {
                self.known.insert(peer_id, info);
                self.tell_known(peer_id);
            }
            SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Error { peer_id, error, .. })) => {
                self.asked.retain(|(of, no)| {
                    if *of == peer_id {
                        answer(no, Err(error.to_string()));
                    }
                    *of != peer_id
                });
            }
            _ => (),
        }
    }
}

fn describe(info: &identify::Info) -> String {
    format!(
        "\"id\":\"{}\",\"agent\":{},\"protocolVersion\":{},\"addresses\":{},\"protocols\":{},\"observed\":\"{}\",\"signed\":{}",
        info.public_key.to_peer_id(),
        quote(&info.agent_version),
        quote(&info.protocol_version),
        list(&info.listen_addrs),
        list(&info.protocols),
        info.observed_addr,
        info.signed_peer_record.is_some(),
    )
}

fn option(name: &str, or: &str) -> String {
    let words: Vec<String> = std::env::args().collect();
    words.iter().position(|w| w == name).and_then(|i| words.get(i + 1)).map_or(or, |w| w).to_string()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut swarm = swarm(key(&option("--key", "ed25519")), &option("--security", "both"));
    let bitswap = Bitswap::new(swarm.behaviour().stream.new_control(), option("--most-blocks", "").parse().ok());
    tokio::spawn(bitswap.clone().serve());
    let at = option("--listen", "/ip4/127.0.0.1/tcp/0");
    swarm.listen_on(at.parse().expect("an address")).expect("a socket");
    let (send, mut lines) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let _ = send.send(line);
        }
    });
    let mut node = Node {
        swarm,
        bitswap,
        dials: HashMap::new(),
        pings: Vec::new(),
        asked: Vec::new(),
        known: HashMap::new(),
    };
    loop {
        tokio::select! {
            line = lines.recv() => match line.as_deref() {
                None => return, // whoever drove it is gone
                Some(line) if line.ends_with(" stop") => return answer(&line[..line.len() - 5], Ok(String::new())),
                Some(line) => node.command(line),
            },
            event = node.swarm.select_next_some() => node.take(event),
        }
    }
}
