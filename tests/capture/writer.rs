//! Writes small captures, well-formed ones and others.

/// Byte order of what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Little,
    Big,
}

impl Order {
    pub fn u16(self, value: u16) -> [u8; 2] {
        if self == Self::Big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    pub fn u32(self, value: u32) -> [u8; 4] {
        if self == Self::Big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    pub fn i64(self, value: i64) -> [u8; 8] {
        if self == Self::Big { value.to_be_bytes() } else { value.to_le_bytes() }
    }
}

/// A classic pcap file.
pub struct Pcap {
    order: Order,
    pub bytes: Vec<u8>,
}

pub const MICROS: u32 = 0xa1b2_c3d4;
pub const NANOS: u32 = 0xa1b2_3c4d;
pub const MODIFIED: u32 = 0xa1b2_cd34;

impl Pcap {
    pub fn new(order: Order, magic: u32, link: u32) -> Self {
        let mut bytes = Vec::new();
        bytes.extend(order.u32(magic));
        bytes.extend(order.u16(2));
        bytes.extend(order.u16(4));
        bytes.extend([0; 8]);
        bytes.extend(order.u32(262_144));
        bytes.extend(order.u32(link));
        Self { order, bytes }
    }

    /// A record; `ticks` in the file's unit.
    pub fn packet(mut self, seconds: u32, ticks: u32, original_len: u32, data: &[u8]) -> Self {
        for word in [seconds, ticks, data.len() as u32, original_len] {
            self.bytes.extend(self.order.u32(word));
        }
        self.bytes.extend(data);
        self
    }
}

/// A pcapng file.
pub struct Pcapng {
    order: Order,
    pub bytes: Vec<u8>,
}

impl Pcapng {
    /// With its first section.
    pub fn new(order: Order) -> Self {
        Self { order, bytes: Vec::new() }.section(order)
    }

    pub fn section(mut self, order: Order) -> Self {
        self.order = order;
        let mut body = Vec::new();
        body.extend(order.u32(0x1a2b_3c4d));
        body.extend(order.u16(1));
        body.extend(order.u16(0));
        body.extend(order.i64(-1));
        self.block(0x0a0d_0d0a, &body)
    }

    pub fn block(mut self, kind: u32, body: &[u8]) -> Self {
        let padding = body.len().next_multiple_of(4) - body.len();
        let len = self.order.u32((12 + body.len() + padding) as u32);
        self.bytes.extend(self.order.u32(kind));
        self.bytes.extend(len);
        self.bytes.extend(body);
        self.bytes.extend(vec![0; padding]);
        self.bytes.extend(len);
        self
    }

    /// An interface; `clock` is the value of `if_tsresol` and the seconds of `if_tsoffset`.
    pub fn interface(self, link: u16, snap_len: u32, clock: Option<(u8, i64)>) -> Self {
        let order = self.order;
        let mut body = Vec::new();
        body.extend(order.u16(link));
        body.extend(order.u16(0));
        body.extend(order.u32(snap_len));
        if let Some((resolution, offset)) = clock {
            body.extend([order.u16(9), order.u16(1)].concat());
            body.extend([resolution, 0, 0, 0]);
            body.extend([order.u16(14), order.u16(8)].concat());
            body.extend(order.i64(offset));
            body.extend([0; 4]);
        }
        self.block(1, &body)
    }

    /// An enhanced packet block, with a comment as option.
    pub fn enhanced(self, interface: u32, ticks: u64, original_len: u32, data: &[u8]) -> Self {
        let order = self.order;
        let mut body = Vec::new();
        for word in [interface, (ticks >> 32) as u32, ticks as u32, data.len() as u32, original_len] {
            body.extend(order.u32(word));
        }
        body.extend(data);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend([order.u16(1), order.u16(2)].concat());
        body.extend(b"hi\0\0");
        body.extend([0; 4]);
        self.block(6, &body)
    }

    pub fn simple(self, original_len: u32, data: &[u8]) -> Self {
        let body = [&self.order.u32(original_len)[..], data].concat();
        self.block(3, &body)
    }

    pub fn obsolete(self, interface: u16, ticks: u64, original_len: u32, data: &[u8]) -> Self {
        let order = self.order;
        let mut body = Vec::new();
        body.extend(order.u16(interface));
        body.extend(order.u16(7));
        for word in [(ticks >> 32) as u32, ticks as u32, data.len() as u32, original_len] {
            body.extend(order.u32(word));
        }
        body.extend(data);
        self.block(2, &body)
    }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// A zstd frame of raw blocks (RFC 8878, sections 3.1.1 and 3.1.1.2).
pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    // No single segment, no checksum; a window of 1 MiB.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50];
    let mut blocks = bytes.chunks(1_000).peekable();
    while let Some(block) = blocks.next() {
        let last = u32::from(blocks.peek().is_none());
        let header = (block.len() as u32) << 3 | last;
        frame.extend(&header.to_le_bytes()[..3]);
        frame.extend(block);
    }
    frame
}

/// A zstd frame without content (RFC 8878, section 3.1.2).
pub fn skippable(content: &[u8]) -> Vec<u8> {
    [&0x184d_2a53_u32.to_le_bytes()[..], &(content.len() as u32).to_le_bytes(), content].concat()
}
