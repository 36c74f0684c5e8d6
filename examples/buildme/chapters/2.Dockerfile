# syntax=docker/dockerfile:1
# Chapter 2: the order of the layers. What changes rarely comes first, so an edited source file
# finds the modules downloaded already.
ARG GO_IMAGE=golang:1.24
FROM ${GO_IMAGE}
ENV CGO_ENABLED=0
WORKDIR /src
COPY go.mod go.sum .
RUN go mod download
COPY . .
RUN go build -o /bin/client ./cmd/client
RUN go build -o /bin/server ./cmd/server
ENTRYPOINT [ "/bin/server" ]
