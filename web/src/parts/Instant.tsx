import { useNow } from "../api/clock";
import { instant, relative } from "../format/time";
import { Unknown } from "./Unknown";

/** A time in UTC; `ago` shows the distance to now instead, with the time on pointing at it. */
export function Instant({
  seconds,
  ago = false,
}: {
  seconds: number | null | undefined;
  ago?: boolean;
}) {
  const now = useNow();
  if (seconds === null || seconds === undefined) return <Unknown />;
  const iso = new Date(seconds * 1_000).toISOString();
  return (
    <time
      dateTime={iso}
      title={ago ? instant(seconds) : relative(seconds, now)}
      className="figures"
    >
      {ago ? relative(seconds, now) : instant(seconds)}
    </time>
  );
}
