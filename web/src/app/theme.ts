/** Colours, type and spacing. Every text colour here has at least 4.5:1 on its ground (WCAG AA); axe checks. */

import {
  type CSSVariablesResolver,
  createTheme,
  localStorageColorSchemeManager,
  type MantineColorsTuple,
} from "@mantine/core";

/** Ink green: the accent. Shade 7 carries white text, shade 4 stands on dark ground. */
const rent: MantineColorsTuple = [
  "#e9f7f4",
  "#d3ebe6",
  "#a6d8ce",
  "#75c3b5",
  "#4fb2a1",
  "#2f9c8a",
  "#178474",
  "#0b6a5e",
  "#08544b",
  "#053f38",
];

/** Ground of controls in dark, tinted like the surfaces they stand on. */
const dark: MantineColorsTuple = [
  "#e3ebe9",
  "#c6d2cf",
  "#9fb0ac",
  "#74857f",
  "#344340",
  "#28342f",
  "#1d2826",
  "#0f1615",
  "#0b1110",
  "#070b0a",
];

export const theme = createTheme({
  primaryColor: "rent",
  primaryShade: { light: 7, dark: 7 },
  colors: { rent, dark },
  autoContrast: true,
  luminanceThreshold: 0.35,
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif',
  fontFamilyMonospace:
    'ui-monospace, "SF Mono", "Cascadia Mono", "Liberation Mono", Menlo, monospace',
  headings: { fontWeight: "650" },
  components: {
    Table: { defaultProps: { verticalSpacing: "xs", horizontalSpacing: "md" } },
    Anchor: { defaultProps: { underline: "hover" } },
    Tooltip: {
      defaultProps: {
        withArrow: true,
        openDelay: 200,
        events: { hover: true, focus: true, touch: true },
      },
    },
  },
});

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-body": "#fbfcfc",
    "--mantine-color-text": "#12211f",
    "--mantine-color-dimmed": "#52625f",
    "--mantine-color-placeholder": "#66746f",
    "--mantine-color-anchor": "#0b6a5e",
    "--mantine-color-error": "#b42318",
    "--mantine-color-default-border": "#d9e0de",
    "--rr-surface": "#ffffff",
    "--rr-line": "#e3e9e7",
    "--rr-good": "#116a3c",
    "--rr-good-ground": "#e6f5ec",
    "--rr-warning": "#8a5300",
    "--rr-warning-ground": "#fdf1dc",
    "--rr-bad": "#b42318",
    "--rr-bad-ground": "#fdeceb",
    "--rr-info": "#1b5a92",
    "--rr-info-ground": "#e8f1fa",
    "--rr-quiet": "#52625f",
    "--rr-quiet-ground": "#eef2f1",
    "--rr-shade": "rgb(18 33 31 / 14%)",
  },
  dark: {
    "--mantine-color-body": "#0f1615",
    "--mantine-color-text": "#e3ebe9",
    "--mantine-color-dimmed": "#9fb0ac",
    "--mantine-color-placeholder": "#8fa09c",
    "--mantine-color-anchor": "#6fd0bf",
    "--mantine-color-error": "#ff9b92",
    "--mantine-color-default-border": "#2b3836",
    "--rr-surface": "#151e1d",
    "--rr-line": "#253230",
    "--rr-good": "#7fdba7",
    "--rr-good-ground": "#12291d",
    "--rr-warning": "#f2c078",
    "--rr-warning-ground": "#2e230f",
    "--rr-bad": "#ff9b92",
    "--rr-bad-ground": "#331917",
    "--rr-info": "#93c4f0",
    "--rr-info-ground": "#14253a",
    "--rr-quiet": "#a5b5b1",
    "--rr-quiet-ground": "#202b29",
    "--rr-shade": "rgb(0 0 0 / 55%)",
  },
});

const SCHEME_KEY = "rentroll.colour-scheme";

export const colorSchemeManager = localStorageColorSchemeManager({ key: SCHEME_KEY });

/** Sets the scheme on the document as Mantine will, before React runs. */
export function applySavedColorScheme(): void {
  let saved: string | null = null;
  try {
    saved = localStorage.getItem(SCHEME_KEY);
  } catch {
    // Storage may be forbidden: the system's scheme is used.
  }
  const dark =
    saved === "dark" || (saved !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
}
