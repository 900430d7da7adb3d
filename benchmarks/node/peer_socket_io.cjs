// A socket.io server as its documentation has it: `join` enters the room, `pub` sends to the room.
const { Server } = require('socket.io');
const http = require('http').createServer();
const io = new Server(http);
io.on('connection', (socket) => {
  socket.on('join', () => socket.join('room'));
  socket.on('pub', (message) => io.to('room').emit('message', message));
});
http.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: http.address().port })));
