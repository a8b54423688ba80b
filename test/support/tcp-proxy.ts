export { startTcpProxy, type Cut, type TcpProxy } from '../../dev/tcp-proxy';
