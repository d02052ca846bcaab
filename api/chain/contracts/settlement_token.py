"""The settlement token: a stablecoin with 6 decimals."""

from api.chain.contracts.call import Call, Contract, View
from api.domain.units import Micros


class SettlementToken(Contract):
    """View functions of ERC-20 that we read."""

    name = "SettlementToken"
    _name = View("name", (), str)
    _symbol = View("symbol", (), str)
    _decimals = View("decimals", (), int, "uint8")
    _balance_of = View("balanceOf", ("address",), Micros, "uint256")

    def full_name(self) -> Call[str]:
        """Name in words."""
        return self._call(self._name)

    def symbol(self) -> Call[str]:
        """Short name."""
        return self._call(self._symbol)

    def decimals(self) -> Call[int]:
        """Decimals of an amount."""
        return self._call(self._decimals)

    def balance_micros(self, account: str) -> Call[Micros]:
        """What an account holds."""
        return self._call(self._balance_of, account)
