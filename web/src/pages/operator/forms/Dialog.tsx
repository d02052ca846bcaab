import { Modal } from "@mantine/core";
import type { ReactNode } from "react";

/** A dialog over the page. */
export function Dialog({
  title,
  opened,
  onClose,
  firm = false,
  children,
}: {
  title: string;
  opened: boolean;
  onClose: () => void;
  /** Stays until one of its buttons is pressed: a slip would lose what it shows once. */
  firm?: boolean;
  children: ReactNode;
}) {
  return (
    // No Modal.Header: it would be a second banner of the page.
    <Modal.Root
      opened={opened}
      onClose={onClose}
      closeOnClickOutside={!firm}
      closeOnEscape={!firm}
      size="lg"
    >
      <Modal.Overlay />
      <Modal.Content>
        <Modal.Body p="lg">
          <Modal.Title mb="sm" fw={650} style={{ overflowWrap: "anywhere" }}>
            {title}
          </Modal.Title>
          {children}
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
