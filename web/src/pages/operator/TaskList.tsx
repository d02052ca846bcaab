import { Button, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { Link } from "react-router";
import { Instant } from "../../parts/Instant";
import { Status, type Tone } from "../../parts/Status";
import classes from "./Operator.module.css";
import { sectionPath } from "./sections";
import type { TaskText } from "./taskText";

const SEVERITIES: Record<string, { tone: Tone; name: string }> = {
  critical: { tone: "bad", name: "Critical" },
  warning: { tone: "warning", name: "Soon" },
  info: { tone: "info", name: "When you can" },
};
const SHOWN = 8;

/** Tasks as a list, each with where it is done. */
export function TaskList({ tasks }: { tasks: readonly TaskText[] }) {
  const [all, setAll] = useState(false);
  const shown = all ? tasks : tasks.slice(0, SHOWN);
  return (
    <Stack gap="xs">
      <ul className={`surface ${classes.tasks}`}>
        {shown.map((task) => (
          <li key={task.key} className={classes.task}>
            <span className={classes.severity}>
              <Status
                state={task.severity}
                tone={SEVERITIES[task.severity]?.tone ?? "info"}
                children={SEVERITIES[task.severity]?.name ?? task.severity}
              />
            </span>
            <Text size="sm" className={classes.sentence}>
              {task.sentence}
              {task.dueAtS !== null && (
                <Text span size="xs" c="dimmed" ml={6}>
                  <Instant seconds={task.dueAtS} ago />
                </Text>
              )}
            </Text>
            <Button
              component={Link}
              to={sectionPath(task.facilityId, task.section)}
              variant="default"
              size="xs"
              className={classes.action ?? ""}
            >
              {task.action}
            </Button>
          </li>
        ))}
      </ul>
      {tasks.length > SHOWN && (
        <Group>
          <Button
            variant="subtle"
            size="xs"
            aria-expanded={all}
            onClick={() => setAll((before) => !before)}
          >
            {all ? "Show the most urgent only" : `Show all ${tasks.length} tasks`}
          </Button>
        </Group>
      )}
    </Stack>
  );
}
