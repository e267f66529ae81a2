package pcap

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"sync"
)

// Memory keeps the newest packets of a pcapng file in bounded memory, as the destination
// of a [Writer]. It is safe for concurrent use.
type Memory struct {
	limit int

	mu     sync.Mutex
	part   []byte   // the beginning of a block
	head   []byte   // blocks that are no packets: of the section and the interface
	chunks [][]byte // whole blocks of packets, the oldest first; bytes are only appended
	size   int      // bytes of chunks
	paused bool
}

// NewMemory returns a Memory that keeps about limit bytes of packets.
func NewMemory(limit int) *Memory { return &Memory{limit: limit} }

const (
	// chunkSize is how many bytes are dropped at once.
	chunkSize = 256 << 10
	// enhancedPacket is the type of a block with a packet (draft-ietf-opsawg-pcapng,
	// section 4.3). Each block begins with its type and its length, of 4 bytes each.
	enhancedPacket = 6
	blockHead      = 8
)

// Write implements io.Writer. It never fails.
func (m *Memory) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.part = append(m.part, p...)
	rest := m.part
	for len(rest) >= blockHead {
		n := int(binary.LittleEndian.Uint32(rest[4:]))
		if n < blockHead || n > len(rest) {
			break
		}
		m.add(rest[:n])
		rest = rest[n:]
	}
	m.part = append(m.part[:0], rest...)
	return len(p), nil
}

// add keeps a block.
func (m *Memory) add(block []byte) {
	switch {
	case binary.LittleEndian.Uint32(block) != enhancedPacket:
		m.head = append(m.head, block...)
		return
	case m.paused:
		return
	}
	last := len(m.chunks) - 1
	if last < 0 || len(m.chunks[last])+len(block) > max(cap(m.chunks[last]), chunkSize) {
		m.chunks = append(m.chunks, nil)
		last++
	}
	m.chunks[last] = append(m.chunks[last], block...)
	for m.size += len(block); m.size > m.limit && len(m.chunks) > 1; {
		m.size -= len(m.chunks[0])
		m.chunks = slices.Delete(m.chunks, 0, 1)
	}
}

// Size returns how many bytes of packets are kept.
func (m *Memory) Size() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return int64(m.size)
}

// SetPaused makes m ignore packets, or ends that.
func (m *Memory) SetPaused(paused bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.paused = paused
}

// Clear forgets all packets.
func (m *Memory) Clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.chunks, m.size = nil, 0
}

// WriteTo writes a pcapng file with the packets that are kept.
func (m *Memory) WriteTo(out io.Writer) (n int64, err error) {
	m.mu.Lock()
	parts := slices.Concat([][]byte{m.head}, m.chunks) // later packets are appended beyond these slices
	m.mu.Unlock()
	for _, part := range parts {
		k, err := out.Write(part)
		n += int64(k)
		if err != nil {
			return n, fmt.Errorf("write the pcapng file: %w", err)
		}
	}
	return n, nil
}

// Close implements io.Closer. What is kept stays readable.
func (m *Memory) Close() error { return nil }
