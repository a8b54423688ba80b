export { bare } from './bare';
export { samples } from './samples';
export { skeleton } from './skeleton';
