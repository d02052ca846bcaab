import { useEffect, useRef } from "react";
import { Link } from "react-router";
import classes from "./Operator.module.css";
import { SECTIONS, type Section, sectionPath } from "./sections";

/** The sections of a facility; on a narrow screen the current one is scrolled into the row. */
export function SectionNav({ facilityId, current }: { facilityId: number; current: Section }) {
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    const row = nav.current;
    const link = row?.querySelector<HTMLElement>('[aria-current="page"]');
    if (row == null || link == null) return;
    row.scrollLeft = link.offsetLeft - row.offsetLeft - (row.clientWidth - link.clientWidth) / 2;
  }, [current]);
  return (
    <nav ref={nav} aria-label="Sections of the facility" className={classes.sections}>
      {SECTIONS.map((s) => (
        <Link
          key={s.id}
          to={sectionPath(facilityId, s.id)}
          preventScrollReset
          className={classes.section}
          aria-current={s.id === current ? "page" : undefined}
        >
          {s.name}
        </Link>
      ))}
    </nav>
  );
}
