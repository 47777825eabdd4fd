/** One sentence with a next step for every class of error, in English and Chinese (spec 05 §17.4). */

/** Classes of a failed exchange (spec 03 §13.2). */
export type ErrorClass =
  | "network_timeout"
  | "network_dns"
  | "network_refused"
  | "network_tls"
  | "network_offline"
  | "bad_response"
  | "auth_required"
  | "forbidden"
  | "not_found"
  | "conflict"
  | "validation"
  | "rate_limited"
  | "server_error"
  | "unknown";

/** [what happened, what next]; the server's own words stand between them. */
type Words = readonly [string, string];

const ENGLISH: Readonly<Record<ErrorClass, Words>> = {
  network_timeout: [
    "The server did not answer in time",
    "Check the network, or allow more time with MULTICA_HTTP_TIMEOUT=60s",
  ],
  network_dns: ["The server's address cannot be resolved", "Check the network and --server-url"],
  network_refused: ["Cannot connect to the server", "Check its address, and that it is running"],
  network_tls: ["No secure connection to the server", "Check this machine's clock and CA certificates"],
  network_offline: ["The server cannot be reached", "Check the network"],
  bad_response: ["The server's answer cannot be understood", "Try again; --debug shows more"],
  auth_required: [
    "The session has expired or is not signed in",
    "Inside a task its token has ended with the task; elsewhere run multica login, or ask the administrator of a self-hosted server",
  ],
  forbidden: ["No permission", "Check the workspace, or ask an administrator for access"],
  not_found: ["Not found", "Check the id; the matching list command shows what there is"],
  conflict: ["Request conflict", "Fetch the current state again before you retry"],
  validation: ["Invalid request", "See --help for the flags"],
  rate_limited: ["Too many requests", "Wait a moment, then try again"],
  server_error: ["The server is temporarily unavailable", "Try again later; --debug shows its answer"],
  unknown: ["Unexpected answer of the server", "--debug shows it"],
};

const CHINESE: Readonly<Record<ErrorClass, Words>> = {
  network_timeout: ["服务器未及时响应", "请检查网络，或设置 MULTICA_HTTP_TIMEOUT=60s 延长等待时间"],
  network_dns: ["无法解析服务器地址", "请检查网络和 --server-url"],
  network_refused: ["无法连接服务器", "请检查服务器地址以及服务器是否在运行"],
  network_tls: ["无法建立安全连接", "请检查本机时间和 CA 证书"],
  network_offline: ["无法访问服务器", "请检查网络"],
  bad_response: ["无法识别服务器的响应", "请重试；--debug 可查看详情"],
  auth_required: [
    "会话已过期或尚未登录",
    "任务内的令牌随任务结束而失效；其他情况请运行 multica login，自托管请联系管理员",
  ],
  forbidden: ["没有权限", "请检查工作区，或联系管理员"],
  not_found: ["未找到", "请检查 ID，或运行相应的 list 命令"],
  conflict: ["请求冲突", "请重新获取当前状态后再试"],
  validation: ["请求无效", "请用 --help 查看参数"],
  rate_limited: ["请求过于频繁", "请稍候再试"],
  server_error: ["服务器暂时不可用", "请稍后再试；--debug 可查看服务器的响应"],
  unknown: ["服务器返回了意外的错误", "--debug 可查看详情"],
};

/** What happened, the server's own words when it has some, and what to do next. */
export function sentence(error: ErrorClass, said: string, chinese: boolean): string {
  const [what, next] = (chinese ? CHINESE : ENGLISH)[error] ?? (chinese ? CHINESE : ENGLISH).unknown;
  // A server's fault explains nothing to the agent, and its words may name internals; a mistake of the request does.
  const shows = said !== "" && error !== "server_error" && error !== "unknown";
  if (chinese) return shows ? `${what}：${said}。${next}` : `${what}。${next}`;
  return shows ? `${what}: ${said.replace(/\.$/, "")}. ${next}` : `${what}. ${next}`;
}
