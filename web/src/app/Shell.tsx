import {
  ActionIcon,
  Anchor,
  AppShell,
  Burger,
  Container,
  Group,
  NavLink,
  Stack,
  Text,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Suspense, lazy, useEffect, useRef } from "react";
import { Link, Outlet, ScrollRestoration, useLocation } from "react-router";
import { useConnection } from "wagmi";
import { useSentTransactions } from "../chain/pending";
import { useService } from "../api/service";
import { ConnectButton } from "../parts/ConnectButton";
import { DemoBanner } from "../parts/DemoBanner";
import { ChainFoot } from "./ChainFoot";
import { Logo } from "./Logo";
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
            <Group gap="lg" wrap="nowrap">
              <Burger
                opened={opened}
                onClick={toggle}
                hiddenFrom="sm"
                size="sm"
                aria-label={opened ? "Close navigation" : "Open navigation"}
              />
              <Anchor
                component={Link}
                to="/"
                underline="never"
                c="inherit"
                aria-label="Rentroll, market"
              >
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

function SchemeToggle() {
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme("light") === "dark";
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="lg"
      aria-label={dark ? "Use light colours" : "Use dark colours"}
      onClick={() => setColorScheme(dark ? "light" : "dark")}
    >
      <svg
        width="18"
        height="18"
        viewBox="0 0 20 20"
        fill="none"
        stroke="var(--mantine-color-text)"
        strokeWidth="1.5"
        strokeLinecap="round"
        aria-hidden="true"
      >
        {dark ? (
          <>
            <circle cx="10" cy="10" r="3.4" />
            <path d="M10 1.8v2M10 16.2v2M1.8 10h2M16.2 10h2M4.2 4.2l1.4 1.4M14.4 14.4l1.4 1.4M15.8 4.2l-1.4 1.4M5.6 14.4l-1.4 1.4" />
          </>
        ) : (
          <path d="M16.5 12.3A7 7 0 0 1 7.7 3.5a7 7 0 1 0 8.8 8.8z" strokeLinejoin="round" />
        )}
      </svg>
    </ActionIcon>
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
