"""Which addresses messages may be sent to: those of the public Internet, and those that somebody has allowed. Pure.

Addresses that carry another one within (IPv4 in IPv6, in several forms) are judged by that, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from relet.errors import UsageError
from relet.job.textsafe import shown

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_CARRIERS = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
"""NAT64, and the addresses that were once "IPv4-compatible": the last 32 bits are an IPv4 address."""
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
_SITE_LOCAL = IPv6Network("fec0::/10")


def parse_networks(texts: Iterable[str]) -> tuple[str, ...]:
    """Networks such as "10.1.0.0/16" or "::1", each in its usual form. Raises UsageError."""
    found: set[str] = set()
    for text in texts:
        try:
            found.add(str(ip_network(text.strip())))
        except ValueError as error:
            raise UsageError(f"{shown(text)} is no network: {error}. Write 10.1.0.0/16, or fd00::/8.") from None
    return tuple(sorted(found))


def may_be_reached(text: str, allowed: Sequence[str] = ()) -> bool:
    """Whether messages may be sent to this address."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    networks = [ip_network(network) for network in allowed]
    return all(_public(one) or any(one in network for network in networks) for one in _within(address))


def _within(address: Address) -> Iterator[Address]:
    """The addresses that this one stands for."""
    carried = _carried(address)
    if carried is None:
        yield address
        return
    yield from carried
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        yield address


def _carried(address: Address) -> tuple[IPv4Address, ...] | None:
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if any(address in carrier for carrier in _CARRIERS) and int(address) > 1:
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    return None


def _public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        if address in _SITE_LOCAL or address in _LOCAL_NAT64:
            return False
        if address in _CARRIERS[0]:  # judged by what it carries
            return True
    return address.is_global and not address.is_multicast and not address.is_reserved
