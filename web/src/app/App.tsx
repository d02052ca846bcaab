/** Everything that pages stand on: settings of the service, theme, data, wallet, routes. */

import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { RouterProvider } from "react-router";
import { WagmiProvider } from "wagmi";
import { type ServiceConfig, loadConfig } from "../api/config";
import { ServiceContext } from "../api/service";
import { makeWagmi } from "../chain/wagmi";
import { Unreachable } from "./Unreachable";
import { styleNonce } from "./nonce";
import { queries } from "./queries";
import { router } from "./routes";
import { colorSchemeManager, cssVariables, theme } from "./theme";

interface Ready {
  config: ServiceConfig;
  wagmi: ReturnType<typeof makeWagmi>;
}

export function App() {
  const [ready, setReady] = useState<Ready | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    loadConfig().then(
      (config) => {
        setProblem(null);
        setReady({ config, wagmi: makeWagmi(config) });
      },
      (error: unknown) => setProblem(error instanceof Error ? error.message : String(error)),
    );
  }, [attempt]);

  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      colorSchemeManager={colorSchemeManager}
      defaultColorScheme="auto"
      getStyleNonce={styleNonce}
    >
      {ready !== null ? (
        <WagmiProvider config={ready.wagmi}>
          <QueryClientProvider client={queries}>
            <ServiceContext value={ready.config}>
              <RouterProvider router={router} />
            </ServiceContext>
          </QueryClientProvider>
        </WagmiProvider>
      ) : problem !== null ? (
        <Unreachable problem={problem} onRetry={() => setAttempt((n) => n + 1)} />
      ) : null}
    </MantineProvider>
  );
}
