// One stream of go-libp2p over TCP and yamux, for the bench to compare with: the receiver discards.
//
//	gostream listen ADDRESS noise|tls        prints its address with /p2p, serves until it is ended
//	gostream send ADDRESS noise|tls BYTES    sends, waits until all has been taken, prints gb_per_s
//	gostream first ADDRESS noise|tls         dials, sends a byte, prints the seconds until it comes back
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
)

const (
	protocolDiscard = "/bench/discard"
	protocolEcho    = "/bench/echo"
	pieceBytes      = 256 << 10
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func newHost(security string, listen ...string) host.Host {
	secure := libp2p.Security(noise.ID, noise.New)
	if security == "tls" {
		secure = libp2p.Security(libp2ptls.ID, libp2ptls.New)
	}
	h, err := libp2p.New(
		libp2p.ListenAddrStrings(listen...),
		libp2p.Transport(tcp.NewTCPTransport),
		secure,
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.DisableRelay(),
		libp2p.UserAgent("bench"),
	)
	must(err)
	return h
}

func listen(address, security string) {
	h := newHost(security, address)
	h.SetStreamHandler(protocolDiscard, func(s network.Stream) {
		room := make([]byte, pieceBytes)
		for {
			if _, err := s.Read(room); err != nil {
				break
			}
		}
		_, _ = s.Write([]byte{1})
		_ = s.Close()
	})
	h.SetStreamHandler(protocolEcho, func(s network.Stream) {
		_, _ = io.Copy(s, s)
		_ = s.Close()
	})
	fmt.Printf("%s/p2p/%s\n", h.Addrs()[0], h.ID())
	select {}
}

func open(address, security string, name protocol.ID) network.Stream {
	to, err := peer.AddrInfoFromString(address)
	must(err)
	h := newHost(security)
	h.Peerstore().AddAddrs(to.ID, to.Addrs, peerstore.PermanentAddrTTL)
	if name == protocolDiscard {
		must(h.Connect(context.Background(), *to))
	}
	from := time.Now()
	s, err := h.NewStream(context.Background(), to.ID, name)
	must(err)
	if name == protocolEcho {
		one := []byte{1}
		_, err = s.Write(one)
		must(err)
		_, err = io.ReadFull(s, one)
		must(err)
		fmt.Printf("seconds %.4f\n", time.Since(from).Seconds())
	}
	return s
}

func send(address, security string, bytes int64) {
	s := open(address, security, protocolDiscard)
	room := make([]byte, pieceBytes)
	from := time.Now()
	for sent := int64(0); sent < bytes; sent += pieceBytes {
		_, err := s.Write(room)
		must(err)
	}
	must(s.CloseWrite())
	_, err := io.ReadFull(s, room[:1])
	must(err)
	fmt.Printf("gb_per_s %.3f\n", float64(bytes)/time.Since(from).Seconds()/1e9)
}

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: gostream listen|send|first ADDRESS noise|tls [BYTES]")
		os.Exit(2)
	}
	switch os.Args[1] {
	case "listen":
		listen(os.Args[2], os.Args[3])
	case "send":
		bytes, err := strconv.ParseInt(os.Args[4], 10, 64)
		must(err)
		send(os.Args[2], os.Args[3], bytes)
	case "first":
		_ = open(os.Args[2], os.Args[3], protocolEcho)
	}
}
