//! Packets are written octet by octet after the figures of RFC 3550, 6 and RFC 3611, 4.

use super::xr::{Delay, VoipMetrics, XrBlock, block_name};
use super::*;
use crate::limits::{RTCP_KEPT_BLOCKS, RTCP_KEPT_METRICS, RTCP_PACKETS, RTCP_XR_BLOCKS};

fn packet(count: u8, packet_type: u8, body: &[u8]) -> Vec<u8> {
    assert_eq!(body.len() % 4, 0);
    let mut out = vec![0x80 | count, packet_type];
    out.extend(((body.len() / 4) as u16).to_be_bytes());
    out.extend(body);
    out
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

const BLOCK: [u32; 6] = [0x0a0a_0a0a, 25 << 24 | 7, 1_200, 80, 0x1234_5678, 98_304];

fn sender_report(blocks: &[[u32; 6]], extension: &[u32]) -> Vec<u8> {
    let mut body = words(&[0xb0b0_b0b0, 0xe4d2_1234, 0x5678_9abc, 160_000, 1_000, 160_000]);
    blocks.iter().for_each(|block| body.extend(words(block)));
    body.extend(words(extension));
    packet(blocks.len() as u8, 200, &body)
}

fn only(bytes: &[u8]) -> Packet<'_> {
    let compound = Compound::parse(bytes, bytes.len()).unwrap();
    assert!(!compound.is_damaged());
    assert_eq!(compound.packets().count(), 1);
    compound.packets().next().unwrap()
}

#[test]
fn reports_are_rtcp_and_voice_is_not() {
    let mut report = [0; 28];
    report[..4].copy_from_slice(&[0x80, 200, 0, 6]);
    assert!(looks_like_rtcp(&report, 28));
    assert!(looks_like_rtcp(&report[..12], 28), "cut by the snap length");
    assert!(!looks_like_rtcp(&report, 24), "longer than the datagram");
    assert!(!looks_like_rtcp(&[0x80, 0, 0, 1, 0, 0, 0, 0], 8), "PCMU");
    assert!(!looks_like_rtcp(&[0x80, 0x88, 0, 1, 0, 0, 0, 0], 8), "PCMA with marker");
    assert!(!looks_like_rtcp(&[0x40, 200, 0, 1, 0, 0, 0, 0], 8), "version 1");
    assert!(!looks_like_rtcp(&[0x80, 203], 2));
}

#[test]
fn a_sender_report_gives_every_field_block_and_extension() {
    let second = [0x0c0c_0c0c, 0x00ff_fffb, 0x0002_0001, 8, 0, 0];
    let bytes = sender_report(&[BLOCK, second], &[7, 8]);
    let Packet::SenderReport(report) = only(&bytes) else { panic!() };
    assert_eq!((report.ssrc, report.ntp, report.rtp_timestamp), (0xb0b0_b0b0, 0xe4d2_1234_5678_9abc, 160_000));
    assert_eq!((report.packets, report.octets, report.extension), (1_000, 160_000, words(&[7, 8]).as_slice()));
    assert_eq!(middle_of_ntp(report.ntp), 0x1234_5678);
    let blocks: Vec<ReportBlock> = report.blocks.collect();
    let expected = ReportBlock {
        reporter: 0xb0b0_b0b0,
        source: 0x0a0a_0a0a,
        fraction_lost: 25,
        cumulative_lost: 7,
        highest_sequence: 1_200,
        jitter: 80,
        last_report: 0x1234_5678,
        delay_since: 98_304,
    };
    assert_eq!(blocks[0], expected);
    assert_eq!((blocks[1].cumulative_lost, blocks[1].highest_sequence), (-5, 0x0002_0001));
    assert_eq!((blocks[0].jitter_ms(8_000), blocks[0].jitter_ms(0)), (Some(10.0), None));
    assert_eq!((blocks[0].lost_percent(), blocks[0].delay().millis()), (9.765625, 1_500.0));
}

#[test]
fn a_receiver_report_without_room_gives_the_blocks_that_fit() {
    let mut body = words(&[5]);
    body.extend(words(&BLOCK));
    body.extend(words(&[1, 2, 3]));
    let bytes = packet(2, 201, &body);
    let Packet::ReceiverReport(report) = only(&bytes) else { panic!() };
    assert_eq!((report.ssrc, report.blocks.count(), report.extension.len()), (5, 1, 0));
    let bytes = packet(0, 200, &words(&[5, 6]));
    let other = only(&bytes);
    assert!(matches!(other, Packet::Other { packet_type: 200, sender: Some(5), .. }), "too short");
}

#[test]
fn padding_is_no_content_unless_its_count_cannot_be() {
    let mut bytes = packet(0, 201, &words(&[5, 0, 8]));
    bytes[0] |= 0x20;
    let Packet::ReceiverReport(report) = only(&bytes) else { panic!() };
    assert!(report.extension.is_empty());
    bytes[15] = 200;
    let Packet::ReceiverReport(report) = only(&bytes) else { panic!() };
    assert_eq!(report.extension.len(), 8);
}

#[test]
fn names_of_several_sources_are_found() {
    let mut body = words(&[1]);
    body.extend(b"\x01\x05a@b.c\x06\x03abc\0\0\0\0");
    body.extend(words(&[2]));
    // Two items that end on a whole word: four NULs follow.
    body.extend(b"\x02\x04Anna\x07\0\0\0\0\0");
    body.extend(words(&[3]));
    body.extend(b"\x01\x02xy\0\0\0\0");
    let bytes = packet(3, 202, &body);
    let Packet::SourceDescription(description) = only(&bytes) else { panic!() };
    let all: Vec<(u32, Vec<_>)> = description.chunks().map(|chunk| (chunk.ssrc, chunk.items().collect())).collect();
    assert_eq!(all[0], (1, vec![(1, &b"a@b.c"[..]), (6, &b"abc"[..])]));
    assert_eq!(all[1], (2, vec![(2, &b"Anna"[..]), (7, &b""[..])]));
    assert_eq!((all[2].0, all.len()), (3, 3));
    let names: Vec<_> = description.chunks().map(|chunk| chunk.cname()).collect();
    assert_eq!(names, [Some(&b"a@b.c"[..]), None, Some(&b"xy"[..])]);
    assert_eq!((item_name(8), item_name(9)), (Some("PRIV"), None));
}

#[test]
fn goodbyes_have_sources_and_a_reason() {
    let mut body = words(&[1, 2]);
    body.extend(b"\x06hungup\0");
    let bytes = packet(2, 203, &body);
    let Packet::Goodbye(goodbye) = only(&bytes) else { panic!() };
    assert_eq!((goodbye.sources().collect::<Vec<_>>(), goodbye.reason), (vec![1, 2], Some(&b"hungup"[..])));
    body[8] = 8;
    let bytes = packet(2, 203, &body);
    let Packet::Goodbye(goodbye) = only(&bytes) else { panic!() };
    assert_eq!(goodbye.reason, None, "longer than the packet");
    let bytes = packet(3, 203, &words(&[1]));
    let Packet::Goodbye(goodbye) = only(&bytes) else { panic!() };
    assert_eq!(goodbye.sources().count(), 1, "two are missing");
}

#[test]
fn applications_and_feedback_keep_their_names_and_formats() {
    let mut body = words(&[9]);
    body.extend(b"qtsidata");
    let bytes = packet(3, 204, &body);
    let Packet::Application(application) = only(&bytes) else { panic!() };
    let shown = (application.ssrc, application.subtype, &application.name, application.data);
    assert_eq!(shown, (9, 3, b"qtsi", &b"data"[..]));
    let bytes = packet(1, 206, &words(&[9, 10]));
    assert!(matches!(only(&bytes), Packet::Other { packet_type: 206, format: 1, sender: Some(9) }));
}

fn block(block_type: u8, content: &[u8]) -> Vec<u8> {
    packet(0, 0, content).into_iter().enumerate().map(|(n, octet)| if n == 0 { block_type } else { octet }).collect()
}

const METRICS: [u8; 32] = [
    0,
    0,
    0,
    9,
    13,
    26,
    128,
    1,
    0,
    200,
    1,
    244,
    0,
    150,
    0,
    70,
    0xee,
    127,
    127,
    16,
    93,
    127,
    44,
    127,
    0b1111_0010,
    0,
    0,
    40,
    0,
    80,
    1,
    0,
];

#[test]
fn extended_reports_give_metrics_and_times_and_skip_the_rest() {
    let mut body = words(&[5]);
    body.extend(block(4, &words(&[0xe4d2_1234, 0x5678_9abc])));
    body.extend(block(200, &words(&[1, 2, 3])));
    body.extend(block(5, &words(&[9, 0x1234_5678, 32_768, 10, 0, 0])));
    body.extend(block(7, &METRICS));
    body.extend(block(7, &words(&[1, 2])));
    let bytes = packet(0, 207, &body);
    let Packet::Extended(report) = only(&bytes) else { panic!() };
    let blocks: Vec<XrBlock<'_>> = report.blocks().collect();
    let [
        XrBlock::ReferenceTime(ntp),
        XrBlock::Other(200),
        XrBlock::Delays(delays),
        XrBlock::VoipMetrics(metrics),
        last,
    ] = blocks.as_slice()
    else {
        panic!("{blocks:?}")
    };
    assert!(matches!(last, XrBlock::Other(7)), "too short for metrics");
    assert_eq!(*ntp, 0xe4d2_1234_5678_9abc);
    let delays: Vec<Delay> = delays.collect();
    assert_eq!(delays[0], Delay { source: 9, last_reference: 0x1234_5678, delay_since: 32_768 });
    assert_eq!((delays[0].delay().millis(), delays.len()), (500.0, 2));
    let expected = VoipMetrics {
        reporter: 5,
        source: 9,
        loss_rate: 13,
        discard_rate: 26,
        burst_density: 128,
        gap_density: 1,
        burst_ms: 200,
        gap_ms: 500,
        round_trip_ms: 150,
        end_system_ms: 70,
        signal_dbm: Some(-18),
        noise_dbm: None,
        echo_return_loss_db: None,
        gap_minimum: 16,
        r_factor: Some(93),
        external_r_factor: None,
        mos_lq_tenths: Some(44),
        mos_cq_tenths: None,
        configuration: 0b1111_0010,
        buffer_nominal_ms: 40,
        buffer_maximum_ms: 80,
        buffer_absolute_maximum_ms: 256,
    };
    assert_eq!(*metrics, expected);
    assert_eq!((metrics.mos_lq(), metrics.mos_cq()), (Some(4.4), None));
    assert_eq!((metrics.concealment(), metrics.buffer()), (Some("standard"), Some("adaptive")));
    assert_eq!((metrics.loss_percent(), metrics.discard_percent()), (5.078125, 10.15625));
    assert_eq!((block_name(6), block_name(8)), (Some("statistics summary"), None));
}

#[test]
fn a_compound_is_read_to_its_end_and_summed_up() {
    let mut bytes = sender_report(&[BLOCK], &[]);
    bytes.extend(packet(1, 202, b"\0\0\0\x05\x01\x03a@b\0\0\0"));
    let mut xr = words(&[5]);
    xr.extend(block(4, &words(&[0, 0x9999_0000])));
    xr.extend(block(5, &words(&[9, 77, 65_536])));
    xr.extend(block(7, &METRICS));
    bytes.extend(packet(0, 207, &xr));
    bytes.extend(packet(1, 203, b"\0\0\0\x05\x03bye"));
    let summary = Summary::read(&bytes, bytes.len()).unwrap();
    assert_eq!((summary.sender, summary.reading), (0xb0b0_b0b0, Reading::Plain));
    assert_eq!(summary.sent.unwrap().packets, 1_000);
    assert_eq!((summary.blocks.len(), summary.metrics.len(), summary.goodbye.as_slice()), (1, 1, &[5][..]));
    assert_eq!((summary.cname.as_deref(), summary.reason.as_deref()), (Some(&b"a@b"[..]), Some(&b"bye"[..])));
    let quoted = |reporter, source, middle, delay_since| Reference::Quoted { reporter, source, middle, delay_since };
    let expected = [
        Reference::Sent { middle: 0x1234_5678 },
        quoted(0xb0b0_b0b0, 0x0a0a_0a0a, 0x1234_5678, 98_304),
        Reference::Sent { middle: 0x9999 },
        quoted(5, 9, 77, 65_536),
    ];
    assert_eq!(summary.references.as_slice(), expected);
    assert!(!summary.cname.unwrap().spilled() && !summary.blocks.spilled());
}

#[test]
fn what_is_cut_or_encrypted_gives_its_sender_only() {
    let report = sender_report(&[BLOCK], &[]);
    let reading = |bytes: &[u8], wire_len| {
        let summary = Summary::read(bytes, wire_len).unwrap();
        assert_eq!(summary.sender, 0xb0b0_b0b0);
        assert_eq!(summary.reading.is_closed(), summary.sent.is_none() && summary.blocks.is_empty());
        summary.reading
    };
    assert_eq!(reading(&report[..40], report.len()), Reading::Cut);
    assert!(Compound::parse(&report[..7], report.len()).is_none(), "not even the sender");
    let with = |trailer: &[u8]| {
        let mut bytes = report.clone();
        bytes.extend(trailer);
        reading(&bytes, bytes.len())
    };
    let mut trailer = [0x55; 14];
    assert_eq!(with(&trailer), Reading::Plain, "signed, not encrypted");
    trailer[0] |= 0x80;
    assert_eq!(with(&trailer), Reading::Encrypted);
    let mut gcm = [0x55; 20];
    assert_eq!(with(&gcm), Reading::Plain);
    gcm[16] = 0x80;
    assert_eq!(with(&gcm), Reading::Encrypted);
    // With a key identifier, or with a second packet that is encrypted.
    assert_eq!(with(&[0x55; 18]), Reading::Encrypted);
    assert_eq!(with(&[0x55; 34]), Reading::Encrypted);
    assert_eq!(with(&[0, 0]), Reading::Damaged);
    let mut two = packet(0, 201, &words(&[5]));
    two.extend([0; 9]);
    assert_eq!(with(&two), Reading::Damaged, "two good packets and then none");
}

#[test]
fn a_last_packet_without_its_padding_is_read() {
    let mut bytes = sender_report(&[], &[]);
    bytes.extend(packet(1, 202, b"\0\0\0\x05\x01\x04a@bc\0\0"));
    for (missing, reading, is_named) in [(2, Reading::Damaged, true), (4, Reading::Encrypted, false)] {
        let summary = Summary::read(&bytes[..bytes.len() - missing], bytes.len() - missing).unwrap();
        assert_eq!((summary.reading, summary.cname.is_some()), (reading, is_named));
    }
}

#[test]
fn floods_are_cut() {
    let mut bytes = packet(0, 201, &words(&[5]));
    for _ in 0..1_000 {
        bytes.extend(packet(0, 203, &[]));
    }
    assert_eq!(Compound::parse(&bytes, bytes.len()).unwrap().packets().count(), RTCP_PACKETS);
    let mut body = words(&[5]);
    for _ in 0..1_000 {
        body.extend(block(7, &METRICS));
    }
    let bytes = packet(0, 207, &body);
    let Packet::Extended(report) = only(&bytes) else { panic!() };
    assert_eq!(report.blocks().count(), RTCP_XR_BLOCKS);
    assert_eq!(Summary::read(&bytes, bytes.len()).unwrap().metrics.len(), RTCP_KEPT_METRICS);
    let bytes = sender_report(&[BLOCK; 31], &[]).repeat(10);
    let summary = Summary::read(&bytes, bytes.len()).unwrap();
    assert_eq!((summary.blocks.len(), summary.references.len()), (RTCP_KEPT_BLOCKS, RTCP_KEPT_BLOCKS));
}
