export { startTcpProxy, type Cut, type TcpProxy } from '../../src/local/tcp-proxy';
