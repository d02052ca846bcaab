/** What was read from service and chain, and for how long it counts. */

import { QueryClient } from "@tanstack/react-query";

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // A problem that the service names stays the same when asked again; a lost connection may not.
      retry: (count, error) => count < 2 && error instanceof TypeError,
      refetchOnWindowFocus: true,
    },
  },
});
