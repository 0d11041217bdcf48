//! What decoding costs per packet: batches of voice and of SIP.
//!
//! A batch of 256 voice packets should take less than 10 µs, which is 40 ns a packet.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sipwatch::decode::{DecodeOptions, Decoder};
use sipwatch::event::Decoded;
use sipwatch::limits::BATCH_PACKETS;
use sipwatch::packet::{Batch, LinkType, PacketId, PacketMeta};
use sipwatch::time::Timestamp;

/// A voice packet of one of fifty streams, tagged or not.
fn voice(number: u16, tagged: bool) -> Vec<u8> {
    let mut rtp = vec![0x80, 0];
    rtp.extend(number.to_be_bytes());
    rtp.extend((u32::from(number) * 160).to_be_bytes());
    rtp.extend(u32::from(number % 50).to_be_bytes());
    rtp.resize(172, 0xd5);
    ethernet(10_000 + number % 50 * 2, &rtp, tagged)
}

fn invite(number: u16) -> Vec<u8> {
    let text = format!(
        "INVITE sip:208@10.1.1.68 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 10.1.1.123:5060;branch=z9hG4bK{number};rport\r\n\
         Max-Forwards: 70\r\n\
         From: \"Two Oh Seven\" <sip:207@10.1.1.68>;tag=a{number}\r\n\
         To: <sip:208@10.1.1.68>\r\n\
         Call-ID: {number}-0815@10.1.1.123\r\n\
         CSeq: 1 INVITE\r\n\
         Contact: <sip:207@10.1.1.123:5060>\r\n\
         User-Agent: bench\r\n\
         Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY\r\n\
         Content-Type: application/sdp\r\n\
         Content-Length: 129\r\n\r\n\
         v=0\r\no=- 1 1 IN IP4 10.1.1.123\r\ns=-\r\nc=IN IP4 10.1.1.123\r\nt=0 0\r\n\
         m=audio 10000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
    );
    ethernet(5060, text.as_bytes(), false)
}

fn ethernet(port: u16, payload: &[u8], tagged: bool) -> Vec<u8> {
    let mut out = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    if tagged {
        out.extend([0x81, 0, 0, 7]);
    }
    out.extend([8, 0, 0x45, 0]);
    out.extend((payload.len() as u16 + 28).to_be_bytes());
    out.extend([0, 1, 0x40, 0, 64, 17, 0, 0, 10, 1, 1, 123, 10, 1, 1, 68]);
    out.extend(port.to_be_bytes());
    out.extend(port.to_be_bytes());
    out.extend((payload.len() as u16 + 8).to_be_bytes());
    out.extend([0, 0]);
    out.extend(payload);
    out
}

/// Batches measured in turn. Each is later than the one before by more than copies are looked for, and of several the first
/// follows the last.
const ROUND: i64 = 4;

fn batches_of(make: impl Fn(u16) -> Vec<u8>) -> Vec<Batch> {
    (0..ROUND).map(|turn| batch_of(turn, &make)).collect()
}

fn batch_of(turn: i64, make: &impl Fn(u16) -> Vec<u8>) -> Batch {
    let mut batch = Batch::new();
    for number in 0..BATCH_PACKETS as u16 {
        let data = make(number);
        let meta = PacketMeta {
            id: PacketId::new(0, u64::from(number) + 1),
            at: Timestamp::from_nanos(turn * 50_000_000 + i64::from(number) * 20_000),
            interface: 0,
            link: LinkType::ETHERNET,
            original_len: data.len() as u32,
        };
        batch.push(meta, &data);
    }
    batch
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Elements(BATCH_PACKETS as u64));
    for (name, batches) in [
        ("rtp", batches_of(|number| voice(number, false))),
        ("rtp, tagged", batches_of(|number| voice(number, true))),
        ("sip", batches_of(invite)),
    ] {
        let mut decoder = Decoder::new(DecodeOptions::default());
        let mut out = Decoded::default();
        group.bench_function(name, |bencher| {
            let mut turns = batches.iter().cycle();
            bencher.iter(|| {
                out.clear();
                if let Some(batch) = turns.next() {
                    decoder.decode(black_box(batch), &mut out);
                }
                black_box(out.rtp.len() + out.events.len())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
