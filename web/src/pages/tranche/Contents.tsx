import { Text } from "@mantine/core";
import { useId } from "react";
import classes from "./Tranche.module.css";

const PARTS = [
  ["terms", "Terms"],
  ["risk", "Risk"],
  ["ending", "Default, end and closing"],
  ["revenue", "Revenue and utilisation"],
  ["waterfall", "From rent to holder"],
  ["delivered", "Promised against delivered"],
  ["statements", "Statements"],
  ["holders", "Holders"],
  ["documents", "Documents"],
] as const;

/** What the page has, beside it where there is room. */
export function Contents() {
  const id = useId();
  return (
    <nav aria-labelledby={id} className={classes.contents}>
      <Text id={id} size="xs" fw={600} c="dimmed">
        On this page
      </Text>
      <ul>
        {PARTS.map(([anchor, name]) => (
          <li key={anchor}>
            <a href={`#${anchor}`}>{name}</a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
