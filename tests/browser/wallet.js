// A wallet of tests: an EIP-1193 provider that announces itself (EIP-6963) and forwards to the node's unlocked accounts
// through `__rpc`. `window.__wallet` is for the test alone: it declines, changes chain or account, as a
// person would, and lies about a contract, as a person's wallet could.
(() => {
  const state = Object.assign(
    { account: null, owners: [], chainId: null, declines: 0, knows: [], log: [], lies: [] },
    JSON.parse(sessionStorage.getItem("__wallet") ?? "null") ?? window.__walletStart,
  );
  const listeners = {};
  const save = () => sessionStorage.setItem("__wallet", JSON.stringify(state));
  const emit = (name, value) => (listeners[name] ?? []).forEach((listener) => listener(value));
  const failure = (code, message) => Object.assign(new Error(message), { code });
  const asks = new Set(["eth_requestAccounts", "eth_sendTransaction", "personal_sign", "eth_signTypedData_v4", "wallet_switchEthereumChain", "wallet_addEthereumChain"]);

  async function forward(method, params) {
    const answer = JSON.parse(await window.__rpc(JSON.stringify({ method, params })));
    if (answer.error) throw Object.assign(failure(answer.error.code, answer.error.message), { data: answer.error.data });
    const call = method === "eth_call" ? params[0].data.slice(0, 10) : null;
    if (!answer.result || !state.lies.includes(call)) return answer.result;
    // A lie about a contract: the first word of what it says, off by its last digit.
    return answer.result.replace(/^(0x.{63})(.)/, (_, head, last) => head + (parseInt(last, 16) ^ 1).toString(16));
  }

  async function request({ method, params = [] }) {
    state.log.push(method);
    if (asks.has(method) && state.declines > 0) {
      state.declines -= 1;
      save();
      throw failure(4001, "User rejected the request.");
    }
    switch (method) {
      case "eth_requestAccounts":
        state.connected = true;
        save();
        return [state.account];
      case "eth_accounts":
        return state.connected ? [state.account] : [];
      case "eth_chainId":
        return state.chainId;
      case "wallet_switchEthereumChain":
        if (!state.knows.includes(params[0].chainId)) throw failure(4902, "Further chain ID.");
        state.chainId = params[0].chainId;
        save();
        emit("chainChanged", state.chainId);
        return null;
      case "wallet_addEthereumChain":
        state.knows.push(params[0].chainId);
        state.added = params[0];
        state.chainId = params[0].chainId;
        save();
        emit("chainChanged", state.chainId);
        return null;
      case "wallet_revokePermissions":
        state.connected = false;
        save();
        return null;
      case "personal_sign": {
        // A contract has no key: its owners sign one after the other (ERC-1271).
        if (state.owners.length === 0) return forward(method, params);
        const signatures = [];
        for (const owner of state.owners) signatures.push(await forward(method, [params[0], owner]));
        return "0x" + signatures.map((signature) => signature.slice(2)).join("");
      }
      default:
        return forward(method, params);
    }
  }

  const provider = {
    request,
    on: (name, listener) => void (listeners[name] ??= []).push(listener),
    removeListener: (name, listener) => {
      listeners[name] = (listeners[name] ?? []).filter((l) => l !== listener);
    },
  };
  window.__wallet = {
    state,
    declineNext: (times = 1) => {
      state.declines = times;
      save();
    },
    lieAbout: (selector) => {
      state.lies.push(selector);
      save();
    },
    become: (account) => {
      state.account = account;
      save();
      emit("accountsChanged", [account]);
    },
    signBy: (owners) => {
      state.owners = owners;
      save();
    },
    moveTo: (chainId) => {
      state.chainId = chainId;
      save();
      emit("chainChanged", chainId);
    },
  };
  const icon = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E";
  const info = { uuid: "4c2b7f0e-6d0a-4f4e-9a55-0d2f8a1b9c01", name: "Test Wallet", rdns: "test.wallet", icon };
  const announce = () =>
    dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }));
  addEventListener("eip6963:requestProvider", announce);
  announce();
})();
