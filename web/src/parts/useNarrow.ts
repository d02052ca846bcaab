import { useMediaQuery } from "@mantine/hooks";

/** Whether the window is narrower than the larger part of our tables. */
export function useNarrow(below: "48em" | "64em"): boolean {
  return (
    useMediaQuery(`(width < ${below})`, undefined, { getInitialValueInEffect: false }) ?? false
  );
}
