package capture

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"net"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

const loopback = "lo"

// The size of the ring that the kernel writes packets to (packet(7), PACKET_RX_RING;
// Documentation/networking/packet_mmap.rst). A block is handed over when it is full, or
// after some milliseconds.
const (
	blockSize   = 1 << 20
	blocks      = 32
	blockMillis = 10
	frameSize   = 1 << 11 // only a unit for the kernel's checks
)

// tickEvery is how long a read waits for packets.
const tickEvery = 100 * time.Millisecond

// socket is an AF_PACKET socket with a ring of version 3. pcapgo's EthernetHandle reads
// one packet with each system call into the socket's buffer, which has room for three
// large packets unless the administrator has raised net.core.rmem_max.
type socket struct {
	fd    int
	ring  []byte
	next  int // block
	count Stats
	wake  [2]*os.File // a pipe: ends the wait for packets
}

// openSocket opens a packet socket.
func openSocket(o Options) (handle, error) {
	index, lo := 0, 0
	if i, err := net.InterfaceByName(loopback); err == nil {
		lo = i.Index
	}
	if o.Interface != "any" {
		i, err := net.InterfaceByName(o.Interface)
		if err != nil {
			return nil, fmt.Errorf("capture on %s: %w", o.Interface, err)
		}
		index = i.Index
	}
	// No protocol: no packets before the filter is attached.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open a packet socket: %w", err)
	}
	s := &socket{fd: fd}
	if err := s.setUp(o.Port, index, lo); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *socket) setUp(port uint16, index, lo int) error {
	program, err := filter(port, lo)
	if err != nil {
		return fmt.Errorf("assemble the filter: %w", err)
	}
	if err := attach(s.fd, program); err != nil {
		return fmt.Errorf("attach the filter: %w", err)
	}
	if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return fmt.Errorf("ask for a ring of version 3: %w", err)
	}
	request := unix.TpacketReq3{Block_size: blockSize, Block_nr: blocks, Frame_size: frameSize, Frame_nr: blockSize / frameSize * blocks, Retire_blk_tov: blockMillis}
	if err := unix.SetsockoptTpacketReq3(s.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &request); err != nil {
		return fmt.Errorf("set up the ring: %w", err)
	}
	if s.ring, err = unix.Mmap(s.fd, 0, blockSize*blocks, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return fmt.Errorf("map the ring: %w", err)
	}
	if s.wake[0], s.wake[1], err = os.Pipe(); err != nil {
		return fmt.Errorf("open a pipe: %w", err)
	}
	all := bits.ReverseBytes16(unix.ETH_P_ALL) // in network byte order
	if err := unix.Bind(s.fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: index}); err != nil {
		return fmt.Errorf("bind the packet socket: %w", err)
	}
	return nil
}

func attach(fd int, program []bpf.RawInstruction) error {
	code := make([]unix.SockFilter, len(program))
	for i, p := range program {
		code[i] = unix.SockFilter{Code: p.Op, Jt: p.Jt, Jf: p.Jf, K: p.K}
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]})
}

// isDenied reports whether err means that this process lacks CAP_NET_RAW, or that a
// sandbox has no packet sockets.
func isDenied(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EAFNOSUPPORT)
}

func (s *socket) close() {
	if s.ring != nil {
		_ = unix.Munmap(s.ring)
		s.ring = nil
	}
	for _, f := range s.wake {
		if f != nil {
			_ = f.Close()
		}
	}
	if s.fd >= 0 {
		_ = unix.Close(s.fd) // nothing was written to it
		s.fd = -1
	}
}

// read implements handle.
func (s *socket) read(ctx context.Context, each func(Packet), tick func()) error {
	stop := context.AfterFunc(ctx, func() { _, _ = s.wake[1].Write([]byte{0}) })
	defer stop()
	last := time.Now()
	for ctx.Err() == nil {
		block := s.ring[s.next*blockSize : (s.next+1)*blockSize]
		description := (*unix.TpacketBlockDesc)(unsafe.Pointer(&block[0]))
		header := (*unix.TpacketHdrV1)(unsafe.Pointer(&description.Hdr))
		ready := atomic.LoadUint32(&header.Block_status)&unix.TP_STATUS_USER != 0
		if ready {
			eachPacket(block, header, each)
			atomic.StoreUint32(&header.Block_status, unix.TP_STATUS_KERNEL)
			s.next = (s.next + 1) % blocks
		}
		if now := time.Now(); now.Sub(last) >= tickEvery || !ready {
			last = now
			s.readStats()
			tick()
		}
		if ready {
			continue
		}
		waiting := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}, {Fd: int32(s.wake[0].Fd()), Events: unix.POLLIN}}
		if _, err := unix.Poll(waiting, int(tickEvery.Milliseconds())); err != nil && err != unix.EINTR {
			return fmt.Errorf("wait for packets: %w", err)
		}
		if waiting[0].Revents&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) != 0 {
			return s.failure()
		}
	}
	return nil
}

// failure returns the error of the socket: ENETDOWN if the interface has gone.
func (s *socket) failure() error {
	n, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && n != 0 {
		err = unix.Errno(n)
	}
	return fmt.Errorf("read packets: %w", err)
}

// eachPacket calls each with the packets of a block.
func eachPacket(block []byte, header *unix.TpacketHdrV1, each func(Packet)) {
	at := int(header.Offset_to_first_pkt)
	for range header.Num_pkts {
		if at < 0 || at+int(unsafe.Sizeof(unix.Tpacket3Hdr{})) > len(block) {
			return
		}
		h := (*unix.Tpacket3Hdr)(unsafe.Pointer(&block[at]))
		from := at + int(h.Net)
		to := from + int(h.Snaplen)
		if from < 0 || to > len(block) || from > to {
			return
		}
		each(Packet{At: time.Unix(int64(h.Sec), int64(h.Nsec)), IP: block[from:to], Length: int(h.Len)})
		if h.Next_offset == 0 {
			return
		}
		at += int(h.Next_offset)
	}
}

// readStats adds what the kernel has counted since the last call.
func (s *socket) readStats() {
	if n, err := unix.GetsockoptTpacketStatsV3(s.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
		s.count.Packets += uint64(n.Packets)
		s.count.Dropped += uint64(n.Drops)
	}
}

func (s *socket) stats() Stats {
	if s.fd >= 0 {
		s.readStats()
	}
	return s.count
}
