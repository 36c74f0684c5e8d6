# syntax=docker/dockerfile:1
# Chapter 1: the plain way. Any edited file downloads every module and compiles everything again,
# and the image carries the whole Go toolchain.
ARG GO_IMAGE=golang:1.24
FROM ${GO_IMAGE}
ENV CGO_ENABLED=0
WORKDIR /src
COPY . .
RUN go mod download
RUN go build -o /bin/client ./cmd/client
RUN go build -o /bin/server ./cmd/server
ENTRYPOINT [ "/bin/server" ]
