//! IP addresses and socket addresses of the standard library, in their usual text form. The text lacks the flow label
//! of an IPv6 socket address, so the label is ignored when rows are compared.

use std::fmt::Display;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::str::FromStr;

use super::text_form::{FORM, TextFault, TextForm, text_forms};
use crate::rows::column::Style;

const V4: Ipv4Addr = Ipv4Addr::UNSPECIFIED;
const V6: Ipv6Addr = Ipv6Addr::UNSPECIFIED;

fn without_flow(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(_) => address,
        SocketAddr::V6(address) => SocketAddr::V6(without_flow_v6(address)),
    }
}

fn without_flow_v6(mut address: SocketAddrV6) -> SocketAddrV6 {
    address.set_flowinfo(0);
    address
}

fn parse<T: FromStr>(text: &str) -> Result<T, TextFault> {
    text.parse().map_err(|_| FORM)
}

fn write(address: impl Display, _style: Style, out: &mut Vec<u8>) {
    // Writing into memory cannot fail.
    let written = write!(out, "{address}");
    debug_assert!(written.is_ok());
}

text_forms! {
    IpAddr, Str, IpAddr::V4(V4), parse, write, expected "an IP address like `192.0.2.1` or `2001:db8::1`";
    Ipv4Addr, Str, V4, parse, write, expected "an IPv4 address like `192.0.2.1`";
    Ipv6Addr, Str, V6, parse, write, expected "an IPv6 address like `2001:db8::1`";
    SocketAddr, Str, SocketAddr::V4(SocketAddrV4::new(V4, 0)), parse, write,
        canonical without_flow, expected "a socket address like `192.0.2.1:80` or `[2001:db8::1]:80`";
    SocketAddrV4, Str, SocketAddrV4::new(V4, 0), parse, write, expected "an IPv4 socket address like `192.0.2.1:80`";
    SocketAddrV6, Str, SocketAddrV6::new(V6, 0, 0, 0), parse, write,
        canonical without_flow_v6, expected "an IPv6 socket address like `[2001:db8::1]:80`";
}
