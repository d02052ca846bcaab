import { Anchor, AppShell, Burger, Container, Group, NavLink, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Suspense, lazy, useEffect, useRef } from "react";
import { Link, Outlet, ScrollRestoration, useLocation } from "react-router";
import { useConnection } from "wagmi";
import { useSentTransactions } from "../chain/pending";
import { useService } from "../api/service";
import { ConnectButton } from "../parts/ConnectButton";
import { DemoBanner } from "../parts/DemoBanner";
import { ChainFoot } from "./ChainFoot";
import { IndexBanner } from "./IndexBanner";
import { Logo } from "./Logo";
import { SchemeToggle } from "./SchemeToggle";
import classes from "./Shell.module.css";

// Loaded only once there is a wallet or a transaction: most people come to read.
const NetworkBanner = lazy(async () => ({
  default: (await import("../parts/NetworkBanner")).NetworkBanner,
}));
const WalletMenu = lazy(async () => ({
  default: (await import("../parts/WalletMenu")).WalletMenu,
}));
const Watcher = lazy(async () => ({ default: (await import("../chain/Watcher")).Watcher }));

const PLACES = [
  { to: "/", name: "Market" },
  { to: "/portfolio", name: "Portfolio" },
  { to: "/operator", name: "Operator" },
  { to: "/audit", name: "Audit" },
] as const;

function isHere(path: string, to: string): boolean {
  if (to === "/") return path === "/" || path.startsWith("/tranches");
  if (to === "/audit") return path.startsWith("/audit") || path.startsWith("/facilities");
  return path.startsWith(to);
}

/** Header, navigation, banners and foot around every page. */
export function Shell() {
  const [opened, { toggle, close }] = useDisclosure(false);
  const { pathname } = useLocation();
  const main = useRef<HTMLDivElement>(null);
  const first = useRef(true);

  // A new page begins at its start for screen readers too; the first one is read by the browser itself.
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
    close();
  }, [pathname, close]);

  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 240, breakpoint: "sm", collapsed: { desktop: true, mobile: !opened } }}
      padding={0}
      className={classes.shell}
    >
      <a href="#main" className="skip-link">
        Skip to content
      </a>
      <AppShell.Header className={classes.header}>
        <Container size="xl" h="100%">
          <Group h="100%" justify="space-between" wrap="nowrap">
            <Places pathname={pathname} opened={opened} onToggle={toggle} />
            <Group gap="xs" wrap="nowrap">
              <SchemeToggle />
              <Wallet />
            </Group>
          </Group>
        </Container>
      </AppShell.Header>
      <AppShell.Navbar p="sm" hiddenFrom="sm" aria-label="Main, small screen">
        {PLACES.map((place) => (
          <NavLink
            key={place.to}
            component={Link}
            to={place.to}
            label={place.name}
            active={isHere(pathname, place.to)}
            onClick={close}
          />
        ))}
      </AppShell.Navbar>
      <AppShell.Main id="main" ref={main} tabIndex={-1} className={classes.main}>
        <Container size="xl" py="lg">
          <Stack gap="lg">
            <IndexBanner />
            <DemoBanner />
            <WrongNetwork />
            <Suspense fallback={<Text c="dimmed">Loading…</Text>}>
              <Outlet />
            </Suspense>
          </Stack>
        </Container>
      </AppShell.Main>
      <ChainFoot />
      <Pending />
      <ScrollRestoration />
    </AppShell>
  );
}

function Places({
  pathname,
  opened,
  onToggle,
}: {
  pathname: string;
  opened: boolean;
  onToggle: () => void;
}) {
  return (
    <Group gap="lg" wrap="nowrap">
      <Burger
        opened={opened}
        onClick={onToggle}
        hiddenFrom="sm"
        size="sm"
        aria-label={opened ? "Close navigation" : "Open navigation"}
      />
      <Anchor component={Link} to="/" underline="never" c="inherit" aria-label="Rentroll, market">
        <Logo />
      </Anchor>
      <Group component="nav" aria-label="Main" gap={4} visibleFrom="sm" wrap="nowrap">
        {PLACES.map((place) => (
          <Link
            key={place.to}
            to={place.to}
            className={classes.place}
            aria-current={isHere(pathname, place.to) ? "page" : undefined}
          >
            {place.name}
          </Link>
        ))}
      </Group>
    </Group>
  );
}

function Wallet() {
  const { address } = useConnection();
  if (address === undefined) return <ConnectButton size="xs" />;
  return (
    <Suspense>
      <WalletMenu address={address} />
    </Suspense>
  );
}

function WrongNetwork() {
  const { isConnected, chainId } = useConnection();
  const { chain_id } = useService();
  if (!isConnected || chainId === chain_id) return null;
  return (
    <Suspense>
      <NetworkBanner />
    </Suspense>
  );
}

function Pending() {
  const { chain_id } = useService();
  const any = useSentTransactions(chain_id).some((t) => t.state === "pending");
  return any ? (
    <Suspense>
      <Watcher />
    </Suspense>
  ) : null;
}
