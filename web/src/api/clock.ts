import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, dataOf } from "./client";

/** Head of the chain, what is indexed and final of it, and the service's clock; asked every few seconds. */
export function useServiceStatus() {
  return useQuery({
    queryKey: ["status"],
    queryFn: () => dataOf(api.GET("/v1/status")),
    refetchInterval: 4_000,
  });
}

/** Seconds of the service's clock, which a demo may run ahead of this machine's. Ticks once a second. */
export function useNow(): number {
  const { data, dataUpdatedAt } = useServiceStatus();
  const [machine, setMachine] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setMachine(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  if (data === undefined) return Math.floor(machine / 1_000);
  return data.now_s + Math.max(0, Math.floor((machine - dataUpdatedAt) / 1_000));
}
