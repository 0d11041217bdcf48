//! Which host stands in which column.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use crate::packet::{Endpoint, FlowKey};
use crate::sdp::Sdp;
use crate::sip::multipart::sdp_body;
use crate::sip::{HeaderName, Method};
use crate::track::message::Message;

/// What a column stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColumnBy {
    /// An address, whatever its ports. An address that talks to itself, or that gets two branches of a fork at different
    /// ports, has a column per endpoint all the same.
    #[default]
    Address,
    /// An address and port.
    Endpoint,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its address.
    pub ip: IpAddr,
    /// Its port, where the column stands for one.
    pub port: Option<u16>,
    /// The endpoints that take part in it, in order of appearance.
    pub endpoints: Vec<Endpoint>,
}

impl Column {
    /// `10.1.1.123`, `10.1.1.123:5060`, `[2001:db8::1]:5060`.
    pub fn label(&self) -> String {
        match self.port {
            Some(port) => Endpoint::new(self.ip, port).to_string(),
            None => self.ip.to_string(),
        }
    }
}

type Name = (IpAddr, Option<u16>);

/// Gives hosts a column. A column has an identity while columns are still being put in, and a position at the end.
pub(super) struct Placing {
    by: ColumnBy,
    split: HashSet<IpAddr>,
    invited: HashMap<(Endpoint, IpAddr, Vec<u8>), u16>,
    announced: HashMap<Endpoint, Endpoint>,
    columns: Vec<Column>,
    parents: Vec<Option<usize>>,
    by_name: HashMap<Name, usize>,
    by_ip: HashMap<IpAddr, usize>,
    order: Vec<usize>,
}

impl Placing {
    pub fn new(by: ColumnBy) -> Self {
        Self {
            by,
            split: HashSet::new(),
            invited: HashMap::new(),
            announced: HashMap::new(),
            columns: Vec::new(),
            parents: Vec::new(),
            by_name: HashMap::new(),
            by_ip: HashMap::new(),
            order: Vec::new(),
        }
    }

    /// Notes which addresses need a column per endpoint, and which media ports a sender announces.
    pub fn learn(&mut self, message: &Message) {
        let FlowKey { src, dst } = message.flow;
        if src.ip == dst.ip && src.port != dst.port {
            self.split.insert(src.ip);
        }
        if message.sip.method() == Some(&Method::Invite) && message.sip.to_tag().is_none() {
            let number = message.sip.header(HeaderName::CSeq).unwrap_or_default().to_vec();
            let port = *self.invited.entry((src, dst.ip, number)).or_insert(dst.port);
            if port != dst.port {
                self.split.insert(dst.ip);
            }
        }
        for media in sdp_body(&message.sip).map(Sdp::parse).iter().flat_map(|sdp| sdp.media.iter()) {
            self.announced.entry(Endpoint::new(src.ip, media.port)).or_insert(src);
        }
    }

    /// The columns of a message or TCP segment.
    pub fn signalling(&mut self, src: Endpoint, dst: Endpoint) -> (usize, usize) {
        let names = (self.name(src), self.name(dst));
        let found = self.pair(names.0, names.1);
        self.took_part(found.0, src);
        self.took_part(found.1, dst);
        found
    }

    /// The columns of RTP: media ports are no columns of their own where the host has one.
    pub fn media(&mut self, src: Endpoint, dst: Endpoint) -> (usize, usize) {
        let names = (self.media_name(src), self.media_name(dst));
        self.pair(names.0, names.1)
    }

    /// The columns of an ICMP error: from who reports it to who sent the quoted packet.
    pub fn icmp(&mut self, reporter: IpAddr, quoted: FlowKey) -> (usize, usize) {
        let reporter = if reporter == quoted.dst.ip { self.known_name(quoted.dst) } else { self.host_name(reporter) };
        let (to, from) = self.pair(self.known_name(quoted.src), reporter);
        (from, to)
    }

    /// The columns from left to right, and each identity's position.
    pub fn finish(self) -> (Vec<Column>, Vec<usize>) {
        let mut position = vec![0; self.columns.len()];
        for (at, id) in self.order.iter().enumerate() {
            if let Some(slot) = position.get_mut(*id) {
                *slot = at;
            }
        }
        let columns = self.order.iter().filter_map(|id| self.columns.get(*id).cloned()).collect();
        (columns, position)
    }

    fn name(&self, endpoint: Endpoint) -> Name {
        let by_port = self.by == ColumnBy::Endpoint || self.split.contains(&endpoint.ip);
        (endpoint.ip, by_port.then_some(endpoint.port))
    }

    /// Signalling keeps its column; anything else is the host's.
    fn known_name(&self, endpoint: Endpoint) -> Name {
        let name = self.name(endpoint);
        if self.by_name.contains_key(&name) { name } else { self.media_name(endpoint) }
    }

    fn media_name(&self, endpoint: Endpoint) -> Name {
        match self.announced.get(&endpoint) {
            Some(announcer) => self.name(*announcer),
            None => self.host_name(endpoint.ip),
        }
    }

    /// The first column of this host, else one without a port.
    fn host_name(&self, ip: IpAddr) -> Name {
        let known = self.by_ip.get(&ip).and_then(|id| self.columns.get(*id));
        (ip, known.and_then(|column| column.port))
    }

    /// Puts what is new beside what is known: a new receiver to the right of its sender and of all that was put there
    /// because of it, a new sender to the left of its receiver. So the caller is leftmost, and most arrows are short.
    fn pair(&mut self, src: Name, dst: Name) -> (usize, usize) {
        match (self.by_name.get(&src).copied(), self.by_name.get(&dst).copied()) {
            (Some(src), Some(dst)) => (src, dst),
            (Some(src), None) => (src, self.insert(dst, self.right_of(src), Some(src))),
            (None, Some(dst)) => (self.insert(src, self.position(dst), None), dst),
            (None, None) => {
                let src_id = self.insert(src, self.order.len(), None);
                let dst_id = if src == dst { src_id } else { self.insert(dst, self.order.len(), Some(src_id)) };
                (src_id, dst_id)
            }
        }
    }

    /// Behind the column and all that follow it because of it; these stand together, each behind its own parent.
    fn right_of(&self, id: usize) -> usize {
        let start = self.position(id) + 1;
        let mut family = HashSet::from([id]);
        let follows = |other: &&usize| {
            let parent = self.parents.get(**other).copied().flatten();
            parent.is_some_and(|parent| family.contains(&parent)) && family.insert(**other)
        };
        start + self.order.iter().skip(start).take_while(follows).count()
    }

    fn position(&self, id: usize) -> usize {
        self.order.iter().position(|other| *other == id).unwrap_or(self.order.len())
    }

    fn insert(&mut self, name: Name, at: usize, parent: Option<usize>) -> usize {
        let id = self.columns.len();
        self.columns.push(Column { ip: name.0, port: name.1, endpoints: Vec::new() });
        self.parents.push(parent);
        self.by_name.insert(name, id);
        self.by_ip.entry(name.0).or_insert(id);
        self.order.insert(at.min(self.order.len()), id);
        id
    }

    fn took_part(&mut self, id: usize, endpoint: Endpoint) {
        if let Some(column) = self.columns.get_mut(id)
            && !column.endpoints.contains(&endpoint)
        {
            column.endpoints.push(endpoint);
        }
    }
}
