import { useServiceStatus } from "../../api/clock";
import { Instant } from "../../parts/Instant";
import { Section } from "../../parts/Section";

/** That the service sends nothing to the chain just now, and why: nothing where nothing is in its way. */
export function Stopped() {
  const { data } = useServiceStatus();
  const stopped = data?.relayer ?? null;
  if (stopped === null) return null;
  return (
    <Section
      title="The service sends nothing just now"
      about="Statements are not posted and rent is not settled until whoever runs the service has mended it. Nothing is lost: all of it is made up for."
    >
      <p>
        Since <Instant seconds={stopped.since_s} />: {stopped.detail}.
      </p>
    </Section>
  );
}
