//! The text of messages: one, all of a call, explained line by line, below a short ladder.

use super::*;
use crate::event::Quote;
use crate::net::{Encapsulation, Path, Tunnel};
use crate::packet::PacketId;
use crate::sip::Notes;
use std::sync::Arc;

#[test]
fn all_messages_stand_one_below_the_other_and_steps_go_from_one_to_the_next() {
    let mut screen = proxied_screen((80, 40));
    screen.keys("r a");
    let page = screen.page();
    assert!(screen.row(0).ends_with("messages, one below the other"), "{page}");
    let count = |what: &str| screen.page().lines().filter(|row| row.starts_with(what)).count();
    assert!(count("#") >= 2, "{page}");
    screen.keys("J");
    assert!(screen.row(1).starts_with("#2  "), "{}", screen.page());
    screen.keys("J J K");
    assert!(screen.row(1).starts_with("#3  "), "{}", screen.page());
    screen.keys("home J");
    assert!(screen.row(1).starts_with("#2  "), "scrolling moves what is selected: {}", screen.page());
    screen.keys("y");
    let Some(Effect::Copy(text)) = screen.effects.iter().rev().find(|effect| matches!(effect, Effect::Copy(_))) else {
        panic!("nothing copied")
    };
    assert!(text.contains("INVITE sip:") && text.contains("BYE sip:"), "{text}");
    screen.keys("a");
    assert!(screen.row(0).starts_with("#2  "), "{}", screen.page());
}

#[test]
fn the_raw_view_explains_line_by_line() {
    let mut screen = proxied_screen((80, 21));
    screen.keys("r e");
    screen.find("INVITE ");
    screen.find("e explains the next line");
    screen.keys("e");
    screen.find("│ Via (v)");
    screen.keys("e");
    screen.find("│ From (f)");
    screen.keys("esc");
    assert!(!screen.page().contains("e explains"), "{}", screen.page());
}

#[test]
fn what_the_ladder_leaves_free_shows_the_message() {
    let screen = proxied_screen((80, 40));
    screen.find("Call-ID: call-0@example.com");
    let screen = proxied_screen((80, 16));
    screen.find("INVITE sip:208@victoria.pingtel.com SIP/2.0");
    assert!(!screen.page().contains("Call-ID: call-0"), "{}", screen.page());
}

#[test]
fn a_copy_names_its_agent_and_an_icmp_error_what_it_quotes() {
    let mut scene = Scene::new(0, "206", "208");
    scene.agent = Some(scene::endpoint("10.0.0.9:49000"));
    scene.say(0, (A, P), INVITE, "1", "1 INVITE", "");
    let quote = Quote { start: "INVITE".into(), call_id: Some("call-0\u{1b}@h".into()), cseq: Some(1) };
    scene.icmp(10, (A, P), quote);
    let mut screen = Screen::new(snapshot(vec![scene.call()], Vec::new()), &[0], (100, 30));
    screen.find("sent by capture agent 10.0.0.9:49000 in HEP");
    screen.find("ICMP port unreachable (INVITE)");
    screen.keys("j");
    screen.find("ICMP port unreachable (INVITE) from 10.1.1.68");
    screen.find("about INVITE (CSeq 1) 10.1.1.123:5060 → 10.1.1.68:5060  Call-ID call-0␛@h");
}

#[test]
fn the_message_says_which_way_it_came_and_in_how_many_fragments() {
    let mut scene = Scene::new(0, "206", "208");
    scene.say(0, (A, B), "OPTIONS sip:208@h SIP/2.0", "1", "1 OPTIONS", "");
    let tunnel = Encapsulation::Tunnel {
        tunnel: Tunnel::Vxlan(5000),
        src: "10.0.0.1".parse().unwrap(),
        dst: "10.0.0.2".parse().unwrap(),
    };
    let layers = [Encapsulation::Vlan(20), tunnel, Encapsulation::Vlan(7)];
    let path = layers.into_iter().try_fold(Path::default(), Path::with).unwrap();
    scene.came(|message| {
        message.packets = [12, 13, 14].map(|number| PacketId::new(0, number)).into_iter().collect();
        message.path = Some(Arc::new(path));
    });
    let mut screen = Screen::new(snapshot(vec![scene.call()], Vec::new()), &[0], (120, 30));
    screen.find("VLAN 20 › VXLAN 5000 (10.0.0.1 → 10.0.0.2) › VLAN 7");
    screen.find("arrived in 3 fragments (packets 12, 13, 14)");
    screen.theme.ascii = true;
    screen.draw();
    screen.find("VLAN 20 > VXLAN 5000 (10.0.0.1 -> 10.0.0.2) > VLAN 7");
    assert!(screen.page().is_ascii(), "{}", screen.page());

    scene.came(|message| {
        message.packets.truncate(2);
        message.sip.note(Notes::CUT);
        message.sip.note(Notes::FRAGMENT_LOST);
    });
    let screen = Screen::new(snapshot(vec![scene.call()], Vec::new()), &[0], (120, 30));
    screen.find("2 fragments arrived (packets 12, 13)");
    screen.find("a fragment was lost");
}
