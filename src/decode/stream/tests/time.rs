//! When a message stands on the ladder, and that batches do not matter.

use super::*;

impl Lab {
    /// All that is told, in its order.
    fn told(&self) -> Vec<(Timestamp, Vec<u64>, FlowKey, String)> {
        let numbers = |packets: &[PacketId]| packets.iter().map(|id| id.number()).collect();
        let told = |event: &Event| match event {
            Event::Sip(arrival) => {
                let text = String::from_utf8_lossy(arrival.message.bytes()).into_owned();
                (arrival.at, numbers(&arrival.packets), arrival.flow, text)
            }
            Event::TcpFlow(fact) => (fact.at, numbers(&[fact.packet]), fact.flow, fact.kind.label().to_owned()),
            other => panic!("{other:?}"),
        };
        self.out.events.iter().map(told).collect()
    }

    fn times(&self) -> Vec<i64> {
        self.arrivals().iter().map(|arrival| arrival.at.nanos() / MS).collect()
    }
}

/// The same lab, one packet a batch and all in one.
fn both(play: impl Fn(&mut Lab)) -> [Lab; 2] {
    [false, true].map(|is_together| {
        let mut lab = Lab::new();
        if is_together {
            lab.together();
        }
        play(&mut lab);
        if is_together {
            lab.together();
        }
        lab
    })
}

#[test]
fn what_is_picked_up_in_the_middle_stands_before_what_came_later() {
    let texts = ["a", "b", "c", "later"].map(|id| message("OPTIONS", id, ""));
    let [apart, together] = both(|lab| {
        let mut seq = 9_000;
        for text in &texts[..3] {
            lab.data(0, seq, text.as_bytes());
            seq += text.len() as u32;
            lab.wait(9_999);
        }
        lab.datagram(&texts[3]);
    });
    assert_eq!((together.texts(), together.times()), (texts.to_vec(), vec![1, 10_001, 20_001, 30_001]));
    assert_eq!(together.told(), apart.told());
}

/// The INVITE came behind octets that were not captured, but its receiver had them and answered.
#[test]
fn a_request_behind_a_hole_stands_before_its_answer_and_at_its_own_time() {
    let invite = message("INVITE", "a", "");
    let answer = invite.replacen("INVITE sip:208@10.1.1.68 SIP/2.0", "SIP/2.0 100 Trying", 1);
    let [apart, together] = both(|lab| {
        lab.handshake();
        lab.data(0, 401, invite.as_bytes());
        let ack = Some(401 + invite.len() as u32);
        lab.send(1, Sent { seq: 501, ack, ..Sent::default() }, b"");
        lab.wait(39);
        lab.send(1, Sent { seq: 501, ack, ..Sent::default() }, answer.as_bytes());
    });
    assert_eq!((together.texts(), together.times()), (vec![invite.clone(), answer.clone()], vec![4, 45]));
    assert_eq!(together.told(), apart.told());
}

#[test]
fn a_hole_is_given_up_at_its_own_time_and_a_cut_message_stands_where_its_last_octets_came() {
    let text = message("INVITE", "a", &body(40));
    let behind = message("OPTIONS", "b", "");
    let [apart, together] = both(|lab| {
        lab.handshake();
        lab.data(0, 101, &text.as_bytes()[..1_000]);
        lab.data(0, 101 + text.len() as u32, behind.as_bytes());
        lab.wait(40_000);
        lab.datagram(&message("OPTIONS", "later", ""));
    });
    assert_eq!(together.times(), [4, 5, 40_006]);
    let holes: Vec<_> = together.told().into_iter().filter(|told| told.3 == TcpSign::Hole.label()).collect();
    assert_eq!(holes.iter().map(|hole| hole.0.nanos() / MS).collect::<Vec<_>>(), [30_005]);
    assert_eq!(together.told(), apart.told());
}

/// What fills a hole lets the receiver's program see what waited behind it, not sooner.
#[test]
fn what_waited_for_a_segment_sent_again_stands_behind_it() {
    let texts = ["a", "b", "c"].map(|id| message("OPTIONS", id, ""));
    let [_, together] = both(|lab| {
        lab.handshake();
        let len = texts[0].len() as u32;
        lab.data(0, 101 + len, texts[1].as_bytes());
        lab.data(0, 101 + 2 * len, texts[2].as_bytes());
        lab.wait(2_000);
        lab.data(0, 101, texts[0].as_bytes());
    });
    assert_eq!((together.texts(), together.times()), (texts.to_vec(), vec![2_006; 3]));
    assert_eq!(together.packets(), [[6], [4], [5]]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes, however long it waits: how packets are batched changes nothing.
    #[test]
    fn batches_change_nothing(
        turns in dialogue(),
        sizes in prop::collection::vec(100_usize..3_000, 1..9),
        keys in prop::collection::vec((any::<u16>(), 0_i64..40_000, 0_u8..8), 1..64),
        has_beginning in any::<bool>(),
    ) {
        let mut all: Vec<_> = segments(&turns, &sizes).into_iter().zip(keys.iter().cycle()).collect();
        all.sort_by_key(|((_, seq, _), (rank, ..))| (seq / 8_192, rank % 4));
        let [apart, together] = both(|lab| {
            if has_beginning {
                lab.handshake();
            }
            for (n, ((side, seq, octets), (_, pause, what))) in all.iter().enumerate() {
                match what {
                    // Lost, with or without the receiver having it.
                    0 => continue,
                    1 => lab.send(1 - side, Sent { seq: 501, ack: Some(seq + octets.len() as u32), ..Sent::default() }, b""),
                    2 => lab.send(*side, Sent { seq: *seq, ack: Some(501), fin: true, ..Sent::default() }, octets),
                    3 => lab.datagram(&message("OPTIONS", &format!("datagram-{n}"), "")),
                    _ => lab.data(*side, *seq, octets),
                }
                lab.now += MS * if pause % 4 == 0 { *pause } else { pause % 70 };
            }
            lab.finish();
        });
        prop_assert_eq!(together.told(), apart.told());
        prop_assert_eq!(&together.decoder.counters().streams, &apart.decoder.counters().streams);
    }
}
