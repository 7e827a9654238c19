//! IP addresses and socket addresses of the standard library, in their usual text form. The text lacks the flow label
//! of an IPv6 socket address, so the label is ignored when rows are compared.

use std::convert::identity;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use super::text_form::{FORM, Fault, TextForm, compared_as_written};
use crate::rows::column::number::NumberBuffer;
use crate::rows::column::{Style, column_type};
use crate::rows::data_type::DataType;

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

macro_rules! addresses {
    ($($type:ty, $placeholder:expr, $canonical:expr, $expected:literal;)*) => {
        $(
            column_type!($type, NumberBuffer<$type>, DataType::Str; KeyType NotNull);

            impl TextForm for $type {
                compared_as_written!($placeholder);

                #[inline]
                fn canonical(self) -> $type {
                    $canonical(self)
                }

                fn expected() -> String {
                    $expected.to_owned()
                }

                fn parse(text: &str) -> Result<$type, Fault> {
                    text.parse().map_err(|_| FORM)
                }

                fn write(self, _style: Style, out: &mut Vec<u8>) {
                    // Writing into memory cannot fail.
                    let written = write!(out, "{self}");
                    debug_assert!(written.is_ok());
                }
            }
        )*
    };
}

addresses! {
    IpAddr, IpAddr::V4(V4), identity, "an IP address like `192.0.2.1` or `2001:db8::1`";
    Ipv4Addr, V4, identity, "an IPv4 address like `192.0.2.1`";
    Ipv6Addr, V6, identity, "an IPv6 address like `2001:db8::1`";
    SocketAddr, SocketAddr::V4(SocketAddrV4::new(V4, 0)), without_flow, "a socket address like `192.0.2.1:80` or `[2001:db8::1]:80`";
    SocketAddrV4, SocketAddrV4::new(V4, 0), identity, "an IPv4 socket address like `192.0.2.1:80`";
    SocketAddrV6, SocketAddrV6::new(V6, 0, 0, 0), without_flow_v6, "an IPv6 socket address like `[2001:db8::1]:80`";
}
