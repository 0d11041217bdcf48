//! The layout is that of RFC 6035, 4.6; the values are made up.

use super::*;
use crate::time::Timestamp;

const SESSION: &str = "VQSessionReport: CallTerm\r\n\
    CallID: 4f2a@192.0.2.10\r\n\
    LocalID: \"Anna\" <sip:anna@example.com>\r\n\
    RemoteID: <sip:ben@example.com>\r\n\
    OrigID: <sip:anna@example.com>\r\n\
    LocalAddr: IP=192.0.2.10 PORT=4000 SSRC=1A3B5C7D\r\n\
    RemoteAddr: IP=2001:db8::5 PORT=5002 SSRC=0x2468abcd\r\n\
    LocalGroup: phone-1\r\n\
    RemoteGroup: gateway\r\n\
    LocalMAC: 02:00:c0:00:02:0a\r\n\
    LocalMetrics:\r\n\
    Timestamps:START=2024-05-01T08:00:00Z STOP=2024-05-01T08:02:30.5Z\r\n\
    SessionDesc:PT=18 PD=\"G.729 annex B\" SR=8000 FD=20 FO=20 FPP=2 PPS=50 FMTP=\"annexb=no\" PLC=3 SSUP=on\r\n\
    JitterBuffer:JBA=3 JBR=2 JBN=40 JBM=80 JBX=120\r\n\
    PacketLoss:NLR=5.0 JDR=2.5\r\n\
    BurstGapLoss:BLD=0 BD=0 GLD=2.0 GD=500 GMIN=16\r\n\
    Delay:RTD=200 ESD=140 SOWD=170 IAJ=2 MAJ=10\r\n\
    Signal:SL=-18 NL=-50 RERL=55\r\n\
    QualityEst:RLQ=90 RCQ=85 EXTRI=127 EXTRO=127 MOSLQ=4.2 MOSCQ=4.3 QoEEstAlg=P.564\r\n\
    RemoteMetrics:\r\n\
    PacketLoss:NLR=1.5 JDR=0.5\r\n\
    DialogID:38419823470834;to-tag=8472761;from-tag=9123dh311\r\n";

#[test]
fn a_report_at_the_end_of_a_call_is_read_whole() {
    let report = VqReport::parse(SESSION.as_bytes()).unwrap();
    assert_eq!(report.kind, VqKind::Session { is_final: true });
    assert_eq!(report.call_id.as_deref(), Some("4f2a@192.0.2.10"));
    assert_eq!(report.local_id.as_deref(), Some("\"Anna\" <sip:anna@example.com>"));
    assert_eq!(report.local_mac.as_deref(), Some("02:00:c0:00:02:0a"));
    let address = |ip: &str, port, ssrc| VqAddress { ip: ip.parse().ok(), port: Some(port), ssrc: Some(ssrc) };
    assert_eq!(report.local_address, Some(address("192.0.2.10", 4_000, 0x1a3b_5c7d)));
    assert_eq!(report.remote_address, Some(address("2001:db8::5", 5_002, 0x2468_abcd)));
    let dialog = report.dialog.unwrap();
    assert_eq!((&*dialog.call_id, dialog.to_tag.as_deref()), ("38419823470834", Some("8472761")));
    assert_eq!(dialog.from_tag.as_deref(), Some("9123dh311"));
    let expected = VqMetrics {
        start: Some(Timestamp::from_parts(1_714_550_400, 0)),
        stop: Some(Timestamp::from_parts(1_714_550_550, 500_000_000)),
        payload_type: Some(18),
        payload: Some("G.729 annex B".into()),
        sample_rate: Some(8_000),
        frame_ms: Some(20.0),
        frame_octets: Some(20),
        frames_per_packet: Some(2),
        packets_per_second: Some(50.0),
        format: Some("annexb=no".into()),
        concealment: Some(3),
        suppresses_silence: Some(true),
        buffer_kind: Some(3),
        buffer_rate: Some(2),
        buffer_nominal_ms: Some(40.0),
        buffer_maximum_ms: Some(80.0),
        buffer_absolute_maximum_ms: Some(120.0),
        loss_percent: Some(5.0),
        discard_percent: Some(2.5),
        burst_density_percent: Some(0.0),
        burst_ms: Some(0.0),
        gap_density_percent: Some(2.0),
        gap_ms: Some(500.0),
        gap_minimum: Some(16),
        round_trip_ms: Some(200.0),
        end_system_ms: Some(140.0),
        symmetric_one_way_ms: Some(170.0),
        jitter_ms: Some(2.0),
        mean_absolute_jitter_ms: Some(10.0),
        signal_dbm: Some(-18.0),
        noise_dbm: Some(-50.0),
        echo_return_loss_db: Some(55.0),
        r_lq: Some(90.0),
        r_cq: Some(85.0),
        mos_lq: Some(4.2),
        mos_cq: Some(4.3),
        algorithms: vec![VqOther { name: "QOEESTALG".into(), value: "P.564".into() }],
        ..VqMetrics::default()
    };
    assert_eq!(report.local, expected);
    let remote = VqMetrics { loss_percent: Some(1.5), discard_percent: Some(0.5), ..VqMetrics::default() };
    assert_eq!(report.remote, Some(remote));
    assert!(report.others.is_empty());
}

#[test]
fn what_phones_write_otherwise_is_read_too() {
    let text = "vqsessionreport : callterm\n\
        localmetrics:\n\
        TIMESTAMPS : start=2024-05-01T10:00:00+02:00 stop=soon\n\
        QualityEst: rlq = 93 RCQEstAlgo=\"P.564\" MOSLQ=4.4, MOSCQ=NaN\n  MOSX=3 RCQ=91\n\
        X-Vendor: jitter=3 whatever\n\
        Delay: IAJ=1e3 MAJ=7% NEWKEY=x y\n\
        \n\
        callid: a:b@c\n\
        LocalAddr:IP=[2001:db8::1] PORT=70000 SSRC=+5\n\
        no colon here\n";
    let report = VqReport::parse(text.as_bytes()).unwrap();
    assert_eq!(report.kind, VqKind::Session { is_final: true });
    assert_eq!(report.call_id.as_deref(), Some("a:b@c"));
    let local = &report.local;
    assert_eq!(local.start, Some(Timestamp::from_parts(1_714_550_400, 0)));
    assert_eq!((local.r_lq, local.r_cq, local.mos_lq, local.mos_cq), (Some(93.0), Some(91.0), Some(4.4), None));
    assert_eq!((local.jitter_ms, local.mean_absolute_jitter_ms), (None, Some(7.0)));
    assert_eq!(local.algorithms, [VqOther { name: "RCQESTALGO".into(), value: "P.564".into() }]);
    let others: Vec<(&str, &str)> = local.others.iter().map(|other| (&*other.name, &*other.value)).collect();
    let expected = [
        ("TIMESTAMPS.stop", "soon"),
        ("QualityEst.MOSCQ", "NaN"),
        ("QualityEst.MOSX", "3"),
        ("Delay.IAJ", "1e3"),
        ("Delay.NEWKEY", "x"),
    ];
    assert_eq!(others, expected);
    let lines: Vec<(&str, &str)> = report.others.iter().map(|other| (&*other.name, &*other.value)).collect();
    assert_eq!(lines, [("X-Vendor", "jitter=3 whatever"), ("", "no colon here")]);
    let ip = "2001:db8::1".parse().ok();
    assert_eq!(report.local_address, Some(VqAddress { ip, port: None, ssrc: None }));
}

#[test]
fn alerts_and_intervals_are_told_apart_and_other_bodies_are_none() {
    let alert = VqReport::parse(b"VQAlertReport: Type=NLR Severity=Critical Dir=local\r\nPacketLoss: NLR=9").unwrap();
    let expected =
        VqAlert { metric: Some("NLR".into()), severity: Some("Critical".into()), direction: Some("local".into()) };
    assert_eq!((alert.kind, alert.local.loss_percent), (VqKind::Alert(expected), Some(9.0)));
    assert_eq!(VqReport::parse(b"\r\nVQIntervalReport\r\n").unwrap().kind, VqKind::Interval);
    assert_eq!(VqReport::parse(b"VQSessionReport\n").unwrap().kind, VqKind::Session { is_final: false });
    assert_eq!(VqReport::parse(b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n"), None);
    assert_eq!(VqReport::parse(b""), None);
}

#[test]
fn endless_reports_are_cut() {
    let mut text = String::from("VQIntervalReport\n");
    text.push_str(&format!("CallID: {}ü\n", "x".repeat(VQ_TEXT_BYTES - 1)));
    for n in 0..500 {
        text.push_str(&format!(
            "Delay: K{n}={} X-{n}EstAlg=1\nQualityEst: A{n}EstAlg=1\nLine{n}: a\n",
            "y".repeat(300)
        ));
    }
    let report = VqReport::parse(text.as_bytes()).unwrap();
    assert_eq!(report.call_id.unwrap().len(), VQ_TEXT_BYTES - 1, "no half character");
    assert_eq!(report.local.others.len(), VQ_OTHERS);
    assert!(report.local.others.iter().all(|other| other.value.len() <= VQ_TEXT_BYTES));
    assert!(report.local.algorithms.len() <= VQ_OTHERS && report.others.len() <= VQ_OTHERS);
}
