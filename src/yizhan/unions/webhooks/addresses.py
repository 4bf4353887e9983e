"""Which addresses of the network we send to on somebody else's word."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

_TRANSLATED = [IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"), IPv6Network("2002::/16")]
URL_LENGTH = 500


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is of the public internet: not of this machine, its network, or a way around to them.

    IPv6 addresses that carry an IPv4 one (mapped, NAT64, 6to4, Teredo) are never public: what they reach is not theirs.
    """
    if isinstance(address, IPv6Address) and (
        address.ipv4_mapped or address.teredo or any(address in network for network in _TRANSLATED)
    ):
        return False
    return address.is_global and not address.is_multicast


@dataclass(frozen=True, slots=True)
class Reach:
    """Where messages may go: the public internet by https, and what the operator of this installation allows besides.

    Attributes:
        anywhere: Private addresses and plain http, too.
        networks: Networks whose addresses are allowed although they are not public; to them also by plain http.
    """

    anywhere: bool = False
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    def lists(self, address: IPv4Address | IPv6Address) -> bool:
        """Whether the operator names this address."""
        return self.anywhere or any(
            address in network for network in self.networks if network.version == address.version
        )

    def allows(self, address: IPv4Address | IPv6Address, *, plain: bool = False) -> bool:
        """Whether a message may go there; `plain` by http, which the public internet never sees."""
        return self.lists(address) or (is_public(address) and not plain)

    @property
    def is_widened(self) -> bool:
        """Whether the operator allows more than the public internet."""
        return self.anywhere or bool(self.networks)


def reach_of_this_installation() -> Reach:
    """As the operator has set it."""
    return Reach(
        anywhere=settings.WEBHOOKS_TO_PRIVATE_ADDRESSES,
        networks=tuple(ip_network(network) for network in settings.WEBHOOK_NETWORKS),
    )


def problem_of(url: str, reach: Reach | None = None) -> str | None:
    """Why an address cannot be used, as a sentence for whoever entered it; None: it can, as far as is seen from it.

    Where its name leads is looked at anew with every message.
    """
    reach = reach or reach_of_this_installation()
    if len(url) > URL_LENGTH:
        return _("at most %(most)s characters") % {"most": URL_LENGTH}
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises where it is no port
    except ValueError:
        return _("This is not an address.")
    if not url.isascii() or any(letter.isspace() for letter in url) or not parts.hostname:
        return _("This is not an address.")
    if parts.scheme != "https" and not (reach.is_widened and parts.scheme == "http"):
        return _("The address must begin with https://.")
    if parts.username or parts.password or parts.fragment:
        return _("The address must hold neither a password nor a #.")
    if not _may_lead_somewhere(parts.hostname, reach, plain=parts.scheme == "http"):
        return _("The address must be reachable from the internet, not only from inside.")
    return None


def _may_lead_somewhere(host: str, reach: Reach, *, plain: bool) -> bool:
    try:
        return reach.allows(ip_address(host), plain=plain)
    except ValueError:
        return reach.is_widened or (host != "localhost" and "." in host)
