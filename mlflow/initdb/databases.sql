-- Run once by the database image, on an empty data folder: a role and a database each for jingqi and for MLflow.
\getenv jingqi_password JINGQI_DB_PASSWORD
\getenv mlflow_password MLFLOW_DB_PASSWORD
CREATE ROLE jingqi LOGIN PASSWORD :'jingqi_password';
CREATE ROLE mlflow LOGIN PASSWORD :'mlflow_password';
CREATE DATABASE jingqi OWNER jingqi;
CREATE DATABASE mlflow OWNER mlflow;
REVOKE CONNECT ON DATABASE jingqi, mlflow FROM PUBLIC;
\connect jingqi
CREATE EXTENSION IF NOT EXISTS timescaledb;
