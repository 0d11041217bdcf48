//! What became of the expected packets, in order of their sequence numbers: counts, runs, and bursts (RFC 3611, 4.7.2).

use crate::limits::PLAYOUT_GMIN;
use crate::time::Elapsed;

/// Lengths of runs that are counted one by one: 1 to 9; the tenth place holds the longer ones.
pub const RUN_LENGTHS: usize = 10;

/// What was expected behind a buffer, and what of it was not played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// Packets whose time has come.
    pub expected: u64,
    /// Of these, never arrived in time and not seen since.
    pub lost: u64,
    /// Of these, arrived behind their time.
    pub discarded: u64,
    /// Stretches of consecutive packets that were lost or discarded.
    pub runs: u64,
}

impl Loss {
    /// Packets that the listener heard.
    pub const fn played(&self) -> u64 {
        self.expected.saturating_sub(self.missing())
    }

    /// Packets that the listener did not hear: lost and discarded.
    pub const fn missing(&self) -> u64 {
        self.lost.saturating_add(self.discarded)
    }

    /// Ppl of G.107: lost and discarded in percent of the expected packets; `None` when nothing was expected.
    pub fn percent(&self) -> Option<f64> {
        (self.expected > 0).then(|| 100.0 * self.missing() as f64 / self.expected as f64)
    }

    /// BurstR of G.107: the mean length of the runs over the mean length under random loss; 1 when nothing or all was
    /// lost, and never below 1.
    pub fn burst_ratio(&self) -> f64 {
        let missing = self.missing();
        if missing == 0 || missing >= self.expected {
            return 1.0;
        }
        let mean = missing as f64 / self.runs.max(1) as f64;
        (mean * (1.0 - missing as f64 / self.expected as f64)).max(1.0)
    }
}

/// Bursts and gaps as RFC 3611, 4.7.2, defines them, with Gmin 16.
///
/// A burst begins and ends with a missing packet and holds no 16 received ones in a row; a missing packet that stands alone
/// belongs to a gap. Multiply the densities by 256 to compare them with an XR block.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BurstGap {
    /// How many bursts there were.
    pub bursts: u64,
    /// Share of missing packets within bursts, 0 to 1.
    pub burst_density: f64,
    /// Share of missing packets within gaps, 0 to 1.
    pub gap_density: f64,
    /// Mean length of the bursts; zero when there was none.
    pub burst_duration: Elapsed,
    /// Mean length of the gaps; zero when there was none.
    pub gap_duration: Elapsed,
}

/// Why a packet was not heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Miss {
    Lost,
    Discarded,
}

/// Missing packets that lie closer to each other than Gmin. Positions count the expected packets from 0.
#[derive(Clone, Copy, Debug, Default)]
struct Cluster {
    first: u64,
    last: u64,
    missing: u64,
}

/// The bursts that are over.
#[derive(Clone, Copy, Debug, Default)]
struct Bursts {
    count: u64,
    packets: u64,
    missing: u64,
    /// Where the first of them begins, and the last one ends.
    first: u64,
    last: u64,
}

/// The running window.
#[derive(Clone, Copy, Debug, Default)]
struct Running {
    lost: u32,
    discarded: u32,
    runs: u32,
    in_run: bool,
    /// Expected packets in front of it.
    from: u64,
}

/// Counts one buffer's sequence of played, lost and discarded. Only what is missing is told one by one; the caller knows how
/// many were expected.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    lost: u64,
    discarded: u64,
    runs: u64,
    /// Length of the run that is not over.
    run: u64,
    lengths: [u32; RUN_LENGTHS],
    cluster: Cluster,
    bursts: Bursts,
    running: Running,
}

impl Tally {
    /// So many packets from this position on are missing.
    pub fn miss(&mut self, position: u64, count: u64, why: Miss) {
        if count == 0 {
            return;
        }
        self.runs += u64::from(self.run == 0);
        self.run += count;
        self.running.runs += u32::from(!self.running.in_run);
        self.running.in_run = true;
        self.add(count, why);
        let last = position.saturating_add(count - 1);
        // Gmin received packets lie between two positions that are Gmin + 1 apart.
        let joins = self.cluster.missing > 0 && position.saturating_sub(self.cluster.last) <= PLAYOUT_GMIN;
        if joins {
            self.cluster.last = last;
            self.cluster.missing += count;
        } else {
            self.close_cluster();
            self.cluster = Cluster { first: position, last, missing: count };
        }
    }

    /// The next packet was played. Only the first one after a missing packet needs to be told.
    pub fn play(&mut self) {
        if self.run > 0 {
            self.close_run();
        }
    }

    /// A packet in front of all others came, perhaps too late: the others stand one place further back. It counts in the
    /// running window, and is a run of its own.
    pub fn in_front(&mut self, late: bool) {
        for position in [&mut self.cluster.first, &mut self.cluster.last, &mut self.bursts.first, &mut self.bursts.last]
        {
            *position += 1;
        }
        if late {
            self.runs += 1;
            self.running.runs += 1;
            self.lengths[0] = self.lengths[0].saturating_add(1);
            self.add(1, Miss::Discarded);
        }
    }

    /// A packet that was given up arrived.
    pub fn arrived_late(&mut self) {
        if self.lost > 0 {
            self.lost -= 1;
            self.discarded += 1;
        }
        if self.running.lost > 0 {
            self.running.lost -= 1;
            self.running.discarded += 1;
        }
    }

    /// What is missing of so many packets.
    pub const fn loss(&self, expected: u64) -> Loss {
        Loss { expected, lost: self.lost, discarded: self.discarded, runs: self.runs }
    }

    /// What is missing of the running window, given the packets of the whole stream.
    pub fn window(&self, expected: u64) -> Loss {
        Loss {
            expected: expected.saturating_sub(self.running.from),
            lost: self.running.lost.into(),
            discarded: self.running.discarded.into(),
            runs: self.running.runs.into(),
        }
    }

    /// Starts the next window. A run that goes on counts in both.
    pub fn start_window(&mut self, expected: u64) {
        self.running = Running { from: expected, ..Running::default() };
    }

    /// Runs of 1 to 9 packets, and of more.
    pub fn lengths(mut self) -> [u32; RUN_LENGTHS] {
        self.play();
        self.lengths
    }

    /// Bursts and gaps of so many packets, of which each lasts `packet`.
    pub fn burst_gap(mut self, expected: u64, packet: Elapsed) -> BurstGap {
        self.close_cluster();
        let bursts = self.bursts;
        let gap_packets = expected.saturating_sub(bursts.packets);
        let gap_missing = (self.lost + self.discarded).saturating_sub(bursts.missing);
        let gaps = match bursts.count {
            0 => u64::from(expected > 0),
            count => count - 1 + u64::from(bursts.first > 0) + u64::from(bursts.last.saturating_add(1) < expected),
        };
        BurstGap {
            bursts: bursts.count,
            burst_density: share(bursts.missing, bursts.packets),
            gap_density: share(gap_missing, gap_packets),
            burst_duration: mean(bursts.packets, bursts.count, packet),
            gap_duration: mean(gap_packets, gaps, packet),
        }
    }

    fn add(&mut self, count: u64, why: Miss) {
        let few = u32::try_from(count).unwrap_or(u32::MAX);
        match why {
            Miss::Lost => {
                self.lost += count;
                self.running.lost = self.running.lost.saturating_add(few);
            }
            Miss::Discarded => {
                self.discarded += count;
                self.running.discarded = self.running.discarded.saturating_add(few);
            }
        }
    }

    fn close_run(&mut self) {
        let place = self.run.clamp(1, RUN_LENGTHS as u64) as usize - 1;
        if let Some(count) = self.lengths.get_mut(place) {
            *count = count.saturating_add(1);
        }
        self.run = 0;
        self.running.in_run = false;
    }

    fn close_cluster(&mut self) {
        let cluster = std::mem::take(&mut self.cluster);
        if cluster.missing < 2 {
            return;
        }
        if self.bursts.count == 0 {
            self.bursts.first = cluster.first;
        }
        self.bursts.count += 1;
        self.bursts.packets += cluster.last - cluster.first + 1;
        self.bursts.missing += cluster.missing;
        self.bursts.last = cluster.last;
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn mean(packets: u64, periods: u64, packet: Elapsed) -> Elapsed {
    if periods == 0 {
        return Elapsed::ZERO;
    }
    Elapsed::from_nanos((packets as f64 / periods as f64 * packet.nanos() as f64) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `.` as played, `x` as lost, `o` as discarded.
    fn tally(sequence: &str) -> (Tally, u64) {
        let mut tally = Tally::default();
        for (position, what) in sequence.chars().enumerate() {
            match what {
                'x' => tally.miss(position as u64, 1, Miss::Lost),
                'o' => tally.miss(position as u64, 1, Miss::Discarded),
                _ => tally.play(),
            }
        }
        (tally, sequence.len() as u64)
    }

    const PACKET: Elapsed = Elapsed::from_millis(20);

    #[test]
    fn runs_are_counted_by_length() {
        let (tally, expected) = tally("x.xx.xo..ooooooooo.xxxxxxxxxx.xxxxxxxxxxxxx");
        assert_eq!(tally.loss(expected), Loss { expected: 43, lost: 1 + 2 + 1 + 10 + 13, discarded: 10, runs: 6 });
        assert_eq!(tally.lengths(), [1, 2, 0, 0, 0, 0, 0, 0, 1, 2], "the open run counts");
    }

    #[test]
    fn burst_ratio_is_one_over_p_plus_q_of_a_gilbert_chain() {
        // 4 runs, 10 missing, 100 expected: p = 4/90, q = 4/10.
        let loss = Loss { expected: 100, lost: 6, discarded: 4, runs: 4 };
        assert!((loss.burst_ratio() - 1.0 / (4.0 / 90.0 + 4.0 / 10.0)).abs() < 1e-12);
        assert_eq!(loss.percent(), Some(10.0));
        for (expected, lost, runs) in [(100, 0, 0), (100, 100, 1), (0, 0, 0), (100, 20, 20)] {
            assert_eq!(Loss { expected, lost, discarded: 0, runs }.burst_ratio(), 1.0, "{lost} of {expected}");
        }
        assert_eq!(Loss::default().percent(), None);
    }

    #[test]
    fn a_burst_holds_less_than_sixteen_received_packets_in_a_row() {
        // Gap of 20; a burst of x + 15 received + xx = 18 with 3 missing; gap of 16 + one alone + 20 = 37.
        let sequence = format!("{}x{}xx{}x{}", ".".repeat(20), ".".repeat(15), ".".repeat(16), ".".repeat(20));
        let (tally, expected) = tally(&sequence);
        let got = tally.burst_gap(expected, PACKET);
        assert_eq!(got.bursts, 1);
        assert!((got.burst_density - 3.0 / 18.0).abs() < 1e-12);
        assert!((got.gap_density - 1.0 / 57.0).abs() < 1e-12);
        assert_eq!(got.burst_duration.millis(), 360.0);
        assert_eq!(got.gap_duration.millis(), 57.0 / 2.0 * 20.0);
    }

    #[test]
    fn losses_that_stand_alone_make_no_burst() {
        let (tally, expected) = tally(&format!("x{}x{}x", ".".repeat(16), ".".repeat(16)));
        let got = tally.burst_gap(expected, PACKET);
        assert_eq!((got.bursts, got.burst_density, got.burst_duration), (0, 0.0, Elapsed::ZERO));
        assert!((got.gap_density - 3.0 / 35.0).abs() < 1e-12);
        assert_eq!(got.gap_duration.millis(), 700.0);
    }

    #[test]
    fn a_stream_may_begin_and_end_with_a_burst() {
        let (tally, expected) = tally(&format!("xx{}oo", ".".repeat(16)));
        let got = tally.burst_gap(expected, PACKET);
        assert_eq!((got.bursts, got.burst_density, got.gap_density), (2, 1.0, 0.0));
        assert_eq!((got.burst_duration.millis(), got.gap_duration.millis()), (40.0, 320.0));
    }

    #[test]
    fn a_run_across_two_windows_counts_in_both() {
        let (mut tally, expected) = tally("..xx");
        assert_eq!(tally.window(expected), Loss { expected: 4, lost: 2, discarded: 0, runs: 1 });
        tally.start_window(expected);
        tally.miss(4, 1, Miss::Lost);
        tally.play();
        assert_eq!(tally.window(6), Loss { expected: 2, lost: 1, discarded: 0, runs: 1 });
        assert_eq!(tally.loss(6).runs, 1);
        tally.arrived_late();
        assert_eq!(tally.window(6), Loss { expected: 2, lost: 0, discarded: 1, runs: 1 });
        assert_eq!(tally.loss(6), Loss { expected: 6, lost: 2, discarded: 1, runs: 1 });
    }
}
