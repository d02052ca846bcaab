import { Anchor, Stack } from "@mantine/core";
import { useState } from "react";
import { Link } from "react-router";
import type { Abi, Hash } from "viem";
import { useContractAddress } from "../../api/service";
import { walletDeskAbi } from "../../chain/abis";
import { short } from "../../format/text";
import { instant } from "../../format/time";
import { Notice } from "../../parts/Notice";
import { SendButton } from "../../parts/SendButton";
import { TxState } from "../../parts/TxState";
import type { PortfolioData } from "./queries";

type Proposal = NonNullable<PortfolioData["wallet"]["proposal"]>;

/** What would happen, to whom, and when. */
export function proposalSentence(proposal: Proposal, own: boolean): string {
  const wallet = own ? "Your wallet" : "This wallet";
  const what =
    proposal.kind === "recovery"
      ? `${wallet} is said to be lost. It is proposed to recover everything of it to ${short(proposal.to)}.`
      : `${wallet} is said to be a contract that cannot claim. It is proposed to pay its money to ${short(proposal.to)}.`;
  const when =
    proposal.opens_at_s === null
      ? "A second role has not confirmed it yet."
      : `This can be done from ${instant(proposal.opens_at_s)}.`;
  return `${what} ${when}`;
}

/** A pending recovery with the button that cancels it, and what was recovered before. */
export function WalletNotice({ wallet, own }: { wallet: PortfolioData["wallet"]; own: boolean }) {
  const desk = useContractAddress("WalletDesk");
  const [hash, setHash] = useState<Hash | null>(null);
  return (
    <>
      {wallet.proposal !== null && (
        <Notice tone="bad" alert={own}>
          <Stack gap="sm" align="flex-start">
            <span>
              {proposalSentence(wallet.proposal, own)}
              {own &&
                " If you can read this and did not ask for it, cancel. Any transfer, claim or purchase of yours cancels it, too."}
            </span>
            {own && (
              <SendButton
                // The notice goes away with the proposal: what became of it is shown below.
                withState={false}
                onSent={setHash}
                call={{
                  address: desk,
                  abi: walletDeskAbi as unknown as Abi,
                  functionName: "cancel",
                  args: [],
                  label: `Cancellation of proposal ${wallet.proposal.number}`,
                }}
              >
                This wallet is not lost: cancel
              </SendButton>
            )}
          </Stack>
        </Notice>
      )}
      {hash !== null && <TxState hash={hash} />}
      {wallet.recovered_to !== null && (
        <Notice tone="warning">
          This wallet was recovered: everything of it belongs to{" "}
          <Wallet address={wallet.recovered_to} />.
        </Notice>
      )}
      {wallet.recovered_from.map((lost) => (
        <Notice key={lost} tone="good">
          Everything of the lost wallet <Wallet address={lost} /> belongs to{" "}
          {own ? "you" : "this one"}. What has not moved yet is in its portfolio.
        </Notice>
      ))}
    </>
  );
}

function Wallet({ address }: { address: string }) {
  return (
    <Anchor component={Link} to={`/portfolio/${address}`} underline="always" inherit>
      {short(address)}
    </Anchor>
  );
}
