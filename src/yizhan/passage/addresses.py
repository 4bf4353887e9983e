"""Which addresses of the network we send to on somebody else's word."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network

_TRANSLATED = [IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"), IPv6Network("2002::/16")]


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is of the public internet: not of this machine, its network, or a way around to them.

    IPv6 addresses that carry an IPv4 one (mapped, NAT64, 6to4, Teredo) are never public: what they reach is not theirs.
    """
    if isinstance(address, IPv6Address) and (
        address.ipv4_mapped or address.teredo or any(address in network for network in _TRANSLATED)
    ):
        return False
    return address.is_global and not address.is_multicast
