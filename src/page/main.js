'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const network = new Network(data.network, document.getElementById('weights').textContent);
const testPixels = bytesOfBase64(document.getElementById('pixels').textContent);
