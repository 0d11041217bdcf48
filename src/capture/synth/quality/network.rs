//! What happens to packets between the phone and the place of capture.

use super::super::rng::Rng;
use super::Arrival;
use super::sender::{Sent, StreamPlan};
use crate::time::Elapsed;

/// A packet that is moved behind another comes so much later than that, in ns: before the next one.
const BEHIND_NS: i64 = 3_000_000;

/// Which packets are lost. The first and the last never are: nobody could know of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Loss {
    /// None.
    #[default]
    None,
    /// These, counted from 0 as sent.
    At(Vec<u32>),
    /// Of each period the last so many.
    Every {
        /// Packets in a period.
        period: u32,
        /// Lost ones among them.
        run: u32,
    },
    /// Exactly so many, evenly spread by chance.
    Random {
        /// Packets lost.
        count: u32,
        /// The same seed loses the same ones.
        seed: u64,
    },
    /// Exactly so many runs of one length, placed by chance with at least two packets between them.
    Runs {
        /// Runs.
        count: u32,
        /// Packets in each.
        length: u32,
        /// The same seed loses the same ones.
        seed: u64,
    },
}

/// How late packets are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Jitter {
    /// All alike.
    #[default]
    None,
    /// Every second one by this much: each step differs by it, so that J is this times 1 − (15/16)ⁿ after n steps.
    Alternating(Elapsed),
    /// Evenly spread up to this much, which must be below the time in a packet, so that the order stays.
    Random {
        /// The largest delay.
        up_to: Elapsed,
        /// The same seed gives the same delays.
        seed: u64,
    },
    /// All from this packet on by this much.
    Step {
        /// Counted from 0 as sent.
        from: u32,
        /// How much later.
        by: Elapsed,
    },
}

/// Faults; positions count packets from 0 as sent, copies included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// Packets that never come.
    pub loss: Loss,
    /// Delay of all packets.
    pub jitter: Jitter,
    /// `(position, distance)`: it comes behind the packet that is so many positions later.
    pub reorder: Vec<(u32, u32)>,
    /// `(position, distance)`: a copy comes behind the packet that is so many positions later; 0 is behind itself.
    pub duplicate: Vec<(u32, u32)>,
    /// `(position, delay)`: it comes so much late, or early where that is negative.
    pub late: Vec<(u32, Elapsed)>,
}

/// The packets as they arrive.
pub(super) fn carry(plan: &StreamPlan, sent: &[Sent]) -> Vec<Arrival> {
    let network = &plan.network;
    let lost = lost(&network.loss, sent.len() as u32);
    let delays = delays(network, sent.len());
    let behind = |position: u32, distance: u32| {
        let place = (position + distance) as usize;
        let (other, delay) = (sent.get(place)?, delays.get(place)?);
        Some(other.due.nanos() + delay + BEHIND_NS)
    };
    let mut out: Vec<(i64, Sent)> = Vec::with_capacity(sent.len());
    for (position, (packet, delay)) in sent.iter().zip(&delays).enumerate() {
        if lost.get(position) == Some(&true) {
            continue;
        }
        let position = position as u32;
        let distance = network.reorder.iter().find(|(moved, _)| *moved == position).map(|(_, distance)| *distance);
        let moved = distance.and_then(|distance| behind(position, distance));
        out.push((moved.unwrap_or(packet.due.nanos() + delay), *packet));
        let copies = network.duplicate.iter().filter(|(copied, _)| *copied == position);
        out.extend(copies.filter_map(|(_, distance)| Some((behind(position, *distance)?, *packet))));
    }
    out.sort_by_key(|(at, _)| *at);
    out.into_iter().map(|(at, packet)| Arrival { at: plan.start.after(Elapsed::from_nanos(at)), packet }).collect()
}

fn delays(network: &Network, count: usize) -> Vec<i64> {
    let mut rng = Rng::new(if let Jitter::Random { seed, .. } = network.jitter { seed } else { 0 });
    let mut delays: Vec<i64> = (0..count as u32)
        .map(|position| match network.jitter {
            Jitter::None => 0,
            Jitter::Alternating(by) => i64::from(position % 2) * by.nanos(),
            // Whole µs, so that a file in either precision holds the same times.
            Jitter::Random { up_to, .. } => rng.range(0, up_to.nanos() / 1_000) * 1_000,
            Jitter::Step { from, by } => i64::from(position >= from) * by.nanos(),
        })
        .collect();
    for (position, by) in &network.late {
        if let Some(delay) = delays.get_mut(*position as usize) {
            *delay += by.nanos();
        }
    }
    delays
}

/// Which positions of `count` are lost.
fn lost(loss: &Loss, count: u32) -> Vec<bool> {
    let mut lost = vec![false; count as usize];
    let last = count.saturating_sub(1);
    let mut lose = |position: u32| {
        let place = lost.get_mut(position as usize).filter(|_| position > 0 && position < last);
        place.is_some_and(|place| !std::mem::replace(place, true))
    };
    match *loss {
        Loss::None => {}
        Loss::At(ref positions) => positions.iter().for_each(|position| {
            lose(*position);
        }),
        Loss::Every { period, run } => {
            let is_hit = |position: &u32| position.checked_rem(period).is_some_and(|nth| nth + run >= period);
            (0..count).filter(is_hit).for_each(|position| {
                lose(position);
            });
        }
        Loss::Random { count: wanted, seed } => {
            let mut rng = Rng::new(seed);
            let mut left = wanted.min(count.saturating_sub(2));
            while left > 0 {
                left -= u32::from(lose(rng.below(count.into()) as u32));
            }
        }
        Loss::Runs { count: runs, length, seed } => {
            let mut rng = Rng::new(seed);
            // One run in each equal part, two packets of which stay free at its start.
            let part = count / runs.max(1);
            let room = part.saturating_sub(length + 2);
            for run in 0..runs {
                let from = run * part + 2 + rng.below(u64::from(room) + 1) as u32;
                (from..from + length).for_each(|position| {
                    lose(position);
                });
            }
        }
    }
    lost
}
