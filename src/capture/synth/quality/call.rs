//! A call around the streams: INVITE to BYE, with the session descriptions that announce them.

use std::fmt::Write;

use super::super::agent::{Agent, Dialog};
use super::super::message::Message;
use super::super::rng::Rng;
use super::super::schedule::Schedule;
use super::super::wire::Path;
use super::reports::Protection;
use super::sender::{Codec, EVENT_TYPE, Filler, StreamPlan};
use super::{ReportPlace, Reports};
use crate::packet::Endpoint;
use crate::time::{Elapsed, Timestamp};

/// From INVITE to 100, 180, 200 and ACK, in ms.
const TRYING_MS: i64 = 5;
const RINGING_MS: i64 = 100;
const ANSWERED_MS: i64 = 500;
const ACKED_MS: i64 = 510;

/// From INVITE to the first packet of media, in ms.
pub(super) const MEDIA_MS: i64 = 600;

/// One side of a call.
#[derive(Clone, Debug)]
pub struct Party {
    /// Who it is, and where it believes to be.
    pub agent: Agent,
    /// Where its SIP comes from on the wire.
    pub wire: Endpoint,
    /// Where it says that it wants media.
    pub announced: Endpoint,
}

/// A call and its streams.
#[derive(Clone, Debug)]
pub struct CallPlan {
    /// When the INVITE is sent.
    pub start: Timestamp,
    /// Everything random follows from it.
    pub seed: u64,
    /// Who calls.
    pub caller: Party,
    /// Who is called.
    pub callee: Party,
    /// Streams; those of the caller have its media address as source.
    pub streams: Vec<StreamPlan>,
    /// RTCP, if there is any.
    pub reports: Option<Reports>,
    /// A STUN binding request in front of every so many packets of each stream.
    pub stun_every: Option<usize>,
    /// Whether the offer comes with the 200 only, so that media may come before any session description.
    pub late_offer: bool,
    /// Whether the caller publishes its voice quality report behind the call.
    pub publishes: bool,
}

impl CallPlan {
    pub(super) fn at(&self, millis: i64) -> Timestamp {
        self.start.after(Elapsed::from_millis(millis))
    }

    fn has_crypto(&self) -> bool {
        self.reports.is_some_and(|reports| reports.protection == Protection::Srtcp)
    }

    /// All codecs of all streams.
    fn codecs(&self) -> Vec<Codec> {
        let mut codecs: Vec<Codec> = Vec::new();
        for codec in
            self.streams.iter().flat_map(|plan| [Some(plan.codec), plan.change.map(|(_, codec)| codec)]).flatten()
        {
            if !codecs.contains(&codec) {
                codecs.push(codec);
            }
        }
        codecs
    }

    fn sdp(&self, party: &Party, rng: &mut Rng) -> String {
        let codecs = self.codecs();
        let first = codecs.first().copied().unwrap_or(Codec::PCMU);
        let Endpoint { ip, port } = party.announced;
        let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
        let id = rng.range(10_000, 99_999);
        let has_noise = self.streams.iter().flat_map(|plan| &plan.pauses).any(|p| matches!(p.filler, Filler::Noise(_)));
        let (media, profile) =
            (if first.is_video { "video" } else { "audio" }, if self.has_crypto() { "RTP/SAVP" } else { "RTP/AVP" });
        let user = &party.agent.user;
        let mut text =
            format!("v=0\r\no={user} {id} {id} IN {family} {ip}\r\ns=call\r\nc=IN {family} {ip}\r\nt=0 0\r\n");
        let mut types: Vec<String> = codecs.iter().map(|codec| codec.payload_type.to_string()).collect();
        if has_noise {
            types.push("13".into());
        }
        if !first.is_video {
            types.push(EVENT_TYPE.to_string());
        }
        // Writing to a String cannot fail.
        let _ = write!(text, "m={media} {port} {profile} {}\r\n", types.join(" "));
        for codec in &codecs {
            let channels = if codec.name == "opus" { "/2" } else { "" };
            let _ = write!(text, "a=rtpmap:{} {}/{}{channels}\r\n", codec.payload_type, codec.name, codec.clock);
        }
        if !first.is_video {
            let clock = first.clock;
            let _ = write!(text, "a=rtpmap:{EVENT_TYPE} telephone-event/{clock}\r\na=fmtp:{EVENT_TYPE} 0-15\r\n");
            let packet_time = self.streams.first().map_or(20, |plan| plan.packet_time.nanos() / 1_000_000);
            let _ = write!(text, "a=ptime:{packet_time}\r\n");
        }
        if self.reports.is_some_and(|reports| reports.place == ReportPlace::Muxed) {
            text.push_str("a=rtcp-mux\r\n");
        }
        if self.has_crypto() {
            text.push_str("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:");
            text.push_str("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd\r\n");
        }
        text.push_str("a=sendrecv\r\n");
        text
    }

    /// Sends all SIP of the call, the BYE at `over`; gives the Call-ID and how many messages.
    pub(super) fn signal(&self, over: Timestamp, rng: &mut Rng, schedule: &mut Schedule) -> (String, u64) {
        let there = Path::new(self.caller.wire, self.callee.wire);
        let back = there.reversed();
        let (caller, callee) = (&self.caller.agent, &self.callee.agent);
        let offer = self.sdp(&self.caller, rng);
        let answer = self.sdp(&self.callee, rng);
        let contact = |agent: &Agent| format!("<{}>", agent.contact_uri());
        let bare =
            caller.request("INVITE", &callee.contact_uri(), &callee.name(), rng).with("Contact", contact(caller));
        let invite = if self.late_offer { bare } else { bare.with_body("application/sdp", offer.clone()) };
        let tag = rng.hex(8);
        let ok =
            invite.reply(200, "OK", Some(&tag)).with("Contact", contact(callee)).with_body("application/sdp", answer);
        let mut dialog = Dialog::of_caller(&invite, &ok);
        let bare = dialog.request("ACK", caller, rng);
        let ack = if self.late_offer { bare.with_body("application/sdp", offer) } else { bare };
        let bye = dialog.request("BYE", caller, rng);
        let mut messages = vec![
            (self.start, &there, invite.clone()),
            (self.at(TRYING_MS), &back, invite.reply(100, "Trying", None)),
            (self.at(RINGING_MS), &back, callee.respond(&invite, 180, "Ringing", &tag)),
            (self.at(ANSWERED_MS), &back, ok),
            (self.at(ACKED_MS), &there, ack),
            (over, &there, bye.clone()),
            (over.after(Elapsed::from_millis(10)), &back, bye.reply(200, "OK", None)),
        ];
        if self.publishes {
            let publish = self.publish(dialog.call_id(), rng);
            let taken = publish.reply(200, "OK", Some("pub"));
            messages.push((over.after(Elapsed::from_millis(100)), &there, publish));
            messages.push((over.after(Elapsed::from_millis(110)), &back, taken));
        }
        let count = messages.len() as u64;
        for (at, path, message) in messages {
            schedule.sip(at, path, &message);
        }
        (dialog.call_id().to_owned(), count)
    }

    fn publish(&self, call_id: &str, rng: &mut Rng) -> Message {
        let (caller, callee) = (&self.caller, &self.callee);
        let stream =
            |from: Endpoint| self.streams.iter().find(|plan| plan.path.src == from).map_or(0, |plan| plan.ssrc);
        let address = |party: &Party| {
            let Endpoint { ip, port } = party.announced;
            format!("IP={ip} PORT={port} SSRC={:08X}", stream(party.announced))
        };
        let body = format!(
            "VQSessionReport: CallTerm\r\nCallID: {call_id}\r\nLocalID: {}\r\nRemoteID: {}\r\nOrigID: {}\r\n\
             LocalAddr: {}\r\nRemoteAddr: {}\r\nLocalMetrics:\r\nTimestamps:START={} STOP={}\r\n\
             SessionDesc:PT=0 PD=PCMU SR=8000 FD=20 FPP=1 PPS=50 PLC=3 SSUP=off\r\n\
             JitterBuffer:JBA=3 JBR=2 JBN=40 JBM=80 JBX=120\r\nPacketLoss:NLR=2.5 JDR=1.0\r\n\
             BurstGapLoss:BLD=0.0 BD=0 GLD=3.5 GD=500 GMIN=16\r\nDelay:RTD=64 ESD=50 IAJ=10\r\n\
             QualityEst:RLQ=82 RCQ=80 MOSLQ=4.1 MOSCQ=4.0 QoEEstAlg=P.564\r\n",
            caller.agent.name(),
            callee.agent.name(),
            caller.agent.name(),
            address(caller),
            address(callee),
            self.at(MEDIA_MS).rfc3339(),
            self.at(MEDIA_MS + 30_000).rfc3339(),
        );
        let collector = format!("sip:collector@{}", callee.agent.domain);
        caller
            .agent
            .request("PUBLISH", &collector, &format!("<{collector}>"), rng)
            .with("Contact", format!("<{}>", caller.agent.contact_uri()))
            .with("Event", "vq-rtcpxr")
            .with("Expires", "3600")
            .with_body("application/vq-rtcpxr", body)
    }
}
