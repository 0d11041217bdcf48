//! Sequence numbers: what is expected, lost, repeated and late (RFC 3550, A.1, with a memory of the last numbers).

/// A step forward of so many numbers is a restart rather than loss, if the next packet goes on from there (RFC 3550, A.1).
const MAX_DROPOUT: i32 = 3_000;
/// A step back of more than so many numbers likewise.
const MAX_MISORDER: i32 = 100;
/// Numbers remembered, to tell a late packet from a repeated one.
const REMEMBERED: u64 = 1_024;
const WORDS: usize = (REMEMBERED / u64::BITS as u64) as usize;
/// Extended numbers start one cycle up, so that a packet from before the first has one, too.
const FIRST_CYCLE: u64 = 1 << 16;

/// Where a packet stands among those of its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The first packet of the stream.
    First,
    /// It follows the highest number.
    Next,
    /// Numbers between the highest and this one are missing, for the time being.
    Ahead,
    /// Unseen and below the highest.
    Late,
    /// Seen before.
    Duplicate,
    /// Far from all others, so that it is not part of the row. Should the next packet go on from here, it was the first of
    /// a new row after all, and is counted as such then.
    Stray,
    /// The second packet of a new row of numbers: the sender began anew. The packet before was the first of it.
    Restart,
}

impl Place {
    /// Whether it is a number of the row that was not seen before.
    #[inline]
    pub const fn is_unique(self) -> bool {
        !matches!(self, Self::Duplicate | Self::Stray)
    }
}

/// A packet that jumped: the first of a new row if the next packet has the next number.
#[derive(Clone, Copy, Debug)]
struct Jump {
    number: u16,
    counted_as: Place,
    /// Lowest number before it was counted.
    lowest: u64,
}

/// The numbers of one stream. They are extended to 64 bits, and never run backwards over a restart: the new row begins
/// above the old one.
#[derive(Clone, Debug)]
pub struct Sequence {
    highest: u64,
    lowest: u64,
    packets: u64,
    unique: u64,
    /// Expected in the rows before the last restart.
    closed: u64,
    jump: Option<Jump>,
    duplicates: u32,
    late: u32,
    gaps: u32,
    restarts: u32,
    strays: u32,
    seen: [u64; WORDS],
}

impl Default for Sequence {
    fn default() -> Self {
        Self {
            highest: 0,
            lowest: 1,
            packets: 0,
            unique: 0,
            closed: 0,
            jump: None,
            duplicates: 0,
            late: 0,
            gaps: 0,
            restarts: 0,
            strays: 0,
            seen: [0; WORDS],
        }
    }
}

impl Sequence {
    /// Counts a packet: its place and its extended number. That of a stray is the one nearest to the highest, and means
    /// nothing.
    #[inline]
    pub fn place(&mut self, number: u16) -> (Place, u64) {
        self.packets += 1;
        let step = i32::from(number.wrapping_sub(self.highest as u16) as i16);
        if step == 1 && self.packets > 1 {
            self.jump = None;
            self.highest += 1;
            self.unique += 1;
            // The bit may be left from the number 1024 below, and is to be set anyway.
            self.mark(self.highest);
            return (Place::Next, self.highest);
        }
        self.place_otherwise(number, step)
    }

    fn place_otherwise(&mut self, number: u16, step: i32) -> (Place, u64) {
        if self.packets == 1 {
            self.begin(FIRST_CYCLE + u64::from(number));
            return (Place::First, self.highest);
        }
        let extended = self.highest.wrapping_add_signed(i64::from(step));
        let place = match step {
            1..MAX_DROPOUT => {
                self.jump = None;
                self.advance(extended);
                Place::Ahead
            }
            _ if (-MAX_MISORDER..=0).contains(&step) => {
                self.jump = None;
                self.behind(extended)
            }
            _ => return self.jumped(number, extended),
        };
        (place, extended)
    }

    fn begin(&mut self, extended: u64) {
        self.seen = [0; WORDS];
        self.lowest = extended;
        self.highest = extended;
        self.unique += 1;
        self.mark(extended);
    }

    fn advance(&mut self, extended: u64) {
        let missing = extended - self.highest - 1;
        if missing > 0 {
            self.gaps = self.gaps.saturating_add(1);
        }
        for passed in 1..=missing.min(REMEMBERED) {
            self.unmark(extended - passed);
        }
        self.highest = extended;
        self.unique += 1;
        self.mark(extended);
    }

    /// For a number that is remembered.
    fn behind(&mut self, extended: u64) -> Place {
        if self.is_seen(extended) {
            self.duplicates = self.duplicates.saturating_add(1);
            return Place::Duplicate;
        }
        self.lowest = self.lowest.min(extended);
        self.late = self.late.saturating_add(1);
        self.unique += 1;
        self.mark(extended);
        Place::Late
    }

    fn jumped(&mut self, number: u16, extended: u64) -> (Place, u64) {
        if let Some(jump) = self.jump {
            if number == jump.number.wrapping_add(1) {
                return (Place::Restart, self.restart(jump));
            }
            if number == jump.number {
                self.duplicates = self.duplicates.saturating_add(1);
                return (Place::Duplicate, extended);
            }
        }
        let lowest = self.lowest;
        // Far below all others it is no early packet, and what lies between was not lost.
        let is_within = extended + MAX_MISORDER as u64 >= lowest;
        let place = if extended < self.highest && self.highest - extended < REMEMBERED && is_within {
            self.behind(extended)
        } else {
            self.strays = self.strays.saturating_add(1);
            Place::Stray
        };
        self.jump = Some(Jump { number, counted_as: place, lowest });
        (place, extended)
    }

    /// The packet that jumped was the first of a new row: it moves there.
    fn restart(&mut self, jump: Jump) -> u64 {
        match jump.counted_as {
            Place::Duplicate => self.duplicates = self.duplicates.saturating_sub(1),
            Place::Stray => self.strays = self.strays.saturating_sub(1),
            _ => {
                self.late = self.late.saturating_sub(1);
                self.unique -= 1;
                self.lowest = jump.lowest;
            }
        }
        self.jump = None;
        self.closed = self.expected();
        self.restarts = self.restarts.saturating_add(1);
        let above = self.highest + 1;
        self.begin(above + u64::from(jump.number.wrapping_sub(above as u16)));
        self.advance(self.highest + 1);
        self.highest
    }

    #[inline]
    fn mark(&mut self, extended: u64) {
        if let Some(word) = self.seen.get_mut((extended / 64) as usize % WORDS) {
            *word |= 1 << (extended % 64);
        }
    }

    fn unmark(&mut self, extended: u64) {
        if let Some(word) = self.seen.get_mut((extended / 64) as usize % WORDS) {
            *word &= !(1 << (extended % 64));
        }
    }

    fn is_seen(&self, extended: u64) -> bool {
        self.seen.get((extended / 64) as usize % WORDS).is_some_and(|word| word >> (extended % 64) & 1 == 1)
    }

    /// The highest extended number; 0 before the first packet.
    pub const fn highest(&self) -> u64 {
        self.highest
    }

    /// Packets captured, repeated and stray ones included.
    pub const fn packets(&self) -> u64 {
        self.packets
    }

    /// Distinct numbers received.
    pub const fn unique(&self) -> u64 {
        self.unique
    }

    /// Numbers from the lowest to the highest, of all rows.
    pub const fn expected(&self) -> u64 {
        self.closed + (self.highest + 1 - self.lowest)
    }

    /// Expected and not received; a late packet takes one off again.
    pub const fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.unique)
    }

    /// Packets whose number was seen before.
    pub const fn duplicates(&self) -> u32 {
        self.duplicates
    }

    /// Packets that came after one with a higher number, for the first time.
    pub const fn out_of_order(&self) -> u32 {
        self.late
    }

    /// Times that numbers were skipped, whether they came late or never.
    pub const fn gaps(&self) -> u32 {
        self.gaps
    }

    /// Times that the sender began a new row of numbers.
    pub const fn restarts(&self) -> u32 {
        self.restarts
    }

    /// Packets that fit nowhere.
    pub const fn strays(&self) -> u32 {
        self.strays
    }

    /// Gaps, packets out of order and restarts together.
    pub const fn errors(&self) -> u64 {
        self.gaps as u64 + self.late as u64 + self.restarts as u64
    }
}
