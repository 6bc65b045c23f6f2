//! Where a request comes from.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;

/// The other end of the connection: the client, or the proxy that stands before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

impl Peer {
    /// The address that a request comes from; `None` if it does not come from a connection.
    pub(super) fn address(request: &Request) -> Option<IpAddr> {
        request.extensions().get::<Self>().map(|Self(peer)| peer.ip().to_canonical())
    }
}
