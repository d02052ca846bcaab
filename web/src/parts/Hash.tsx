import { ActionIcon, Anchor, CopyButton, Group, Tooltip } from "@mantine/core";
import { Link } from "react-router";
import { short } from "../format/text";

/** A hash or an address, shortened, with the whole of it on pointing and for copying. */
export function Hash({
  value,
  whole = false,
  copy = true,
}: {
  value: string;
  whole?: boolean;
  copy?: boolean;
}) {
  return (
    <Group component="span" gap={2} wrap="nowrap" display="inline-flex" miw={0} maw="100%">
      <span className={whole ? "hash hash-whole" : "hash"} title={value}>
        {whole ? value : short(value)}
      </span>
      {copy && <Copy value={value} />}
    </Group>
  );
}

/** An account: leads to its portfolio, which anybody may read. */
export function Account({
  address,
  name,
  copy = true,
}: {
  address: string;
  name?: string | null;
  copy?: boolean;
}) {
  return (
    <Group component="span" gap={2} wrap="nowrap" display="inline-flex" miw={0}>
      <Anchor
        component={Link}
        to={`/portfolio/${address}`}
        title={address}
        className={name ? undefined : "hash"}
        inherit
      >
        {name ?? short(address)}
      </Anchor>
      {copy && <Copy value={address} />}
    </Group>
  );
}

/** A transaction: leads to its page. */
export function TxHash({ hash }: { hash: string }) {
  return (
    <Anchor component={Link} to={`/tx/${hash}`} title={hash} className="hash" inherit>
      {short(hash)}
    </Anchor>
  );
}

/** Copies a value; says so. */
export function Copy({ value }: { value: string }) {
  return (
    <CopyButton value={value} timeout={1_500}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? "Copied" : "Copy"}>
          <ActionIcon
            variant="transparent"
            color="gray"
            size={24}
            onClick={copy}
            aria-label={copied ? "Copied" : `Copy ${short(value)}`}
          >
            <svg
              width="14"
              height="14"
              viewBox="0 0 16 16"
              aria-hidden="true"
              fill="none"
              stroke="var(--mantine-color-dimmed)"
              strokeWidth="1.4"
            >
              {copied ? (
                <path d="M3 8.5l3.2 3.2L13 5" strokeLinecap="round" strokeLinejoin="round" />
              ) : (
                <>
                  <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
                  <path d="M10.5 5.5v-2a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h2" />
                </>
              )}
            </svg>
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}
