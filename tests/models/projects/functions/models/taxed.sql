{{ config(materialized='table') }}
select {{ function('add_tax') }}(10) as usual, {{ function('add_tax') }}(10, 0.1) as low, {{ function('half') }}(3) as half
